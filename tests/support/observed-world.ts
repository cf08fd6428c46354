import { createPrivateKey, privateEncrypt, constants } from "node:crypto";
import { systemRandom } from "../../src/lib/random.ts";
import { createKeyset } from "../../src/tink/edit-keyset.ts";
import { writeEncryptedKeyset } from "../../src/tink/encrypted-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../src/tink/key-templates.ts";
import { writeKeysetBinary } from "../../src/tink/keyset-binary.ts";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { startAwsJsonServer } from "./aws-json-server.ts";
import { startMemoryServer, type MemoryServer } from "./valkey/memory-server.ts";
import { startWorld, type TestWorld } from "./world.ts";

const KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
const SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:chinmina-AbCdEf";
const CALLS_PER_MINUTE = 12;
/** DigestInfo of SHA-256 (RFC 8017, section 9.2, note 1), which stands before a digest that is signed. */
const SHA256_PREFIX = Buffer.from("3031300d060960864801650304020105000420", "hex");

/** A world in which everything that telemetry tells of is there: KMS, Secrets Manager, a shared cache, ECS. */
export interface ObservedWorld extends AsyncDisposable {
  readonly world: TestWorld;
  readonly valkey: MemoryServer;
}

/** `logMode`: the log driver's, as ECS tells it. */
export async function startObservedWorld(
  variables: Readonly<Record<string, string>>,
  { logMode = "blocking" }: { readonly logMode?: string } = {},
): Promise<ObservedWorld> {
  await using stack = new AsyncDisposableStack();
  const valkey = stack.use(await startMemoryServer());
  const ecs = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => Response.json({ LogDriver: "awslogs", LogOptions: { mode: logMode, "awslogs-group": "bridge" } }),
  });
  stack.defer(() => ecs.stop(true));
  let appKey = "";
  const keyset = createKeyset(findTemplate(DEFAULT_TEMPLATE), systemRandom);
  const binary = writeKeysetBinary(keyset);
  const aws = stack.use(
    startAwsJsonServer(({ operation, input }) => {
      switch (operation) {
        case "Sign":
          return Response.json({ KeyId: KEY, Signature: signDigest(appKey, input["Message"]) });
        case "Decrypt":
          return Response.json({ KeyId: KEY, Plaintext: Buffer.from(binary).toBase64() });
        default:
          return Response.json({
            ARN: SECRET,
            Name: "chinmina",
            VersionId: "11111111-2222-3333-4444-555555555555",
            CreatedDate: 1_700_000_000,
            SecretString: writeEncryptedKeyset(Buffer.from("sealed"), keyset),
          });
      }
    }),
  );
  const world = stack.use(
    await startWorld(
      {
        GITHUB_APP_PRIVATE_KEY: undefined,
        GITHUB_APP_PRIVATE_KEY_ARN: KEY,
        CACHE_TYPE: "valkey",
        VALKEY_ADDRESS: `127.0.0.1:${valkey.port}`,
        VALKEY_TLS: "false",
        CACHE_LOCAL_TTL_SECS: "1",
        CALLER_UPSTREAM_CALLS_PER_MINUTE: String(CALLS_PER_MINUTE),
        CACHE_ENCRYPTION_ENABLED: "true",
        CACHE_ENCRYPTION_KEYSET_URI: `aws-secretsmanager://${SECRET}`,
        CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: `aws-kms://${KEY}`,
        AWS_ENDPOINT_URL: aws.url,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "task",
        AWS_SECRET_ACCESS_KEY: "s",
        ECS_CONTAINER_METADATA_URI_V4: `http://127.0.0.1:${ecs.port}/v4/0`,
        OBSERVE_ENABLED: "true",
        OBSERVE_TRACE_BATCH_TIMEOUT_SECS: "1",
        OBSERVE_METRIC_READ_INTERVAL_SECS: "1",
        ...variables,
      },
      {
        policy: DEFAULT_POLICY,
        registry: true,
        prepare: (simulator) => (appKey = simulator.environment()["GITHUB_APP_PRIVATE_KEY"] ?? ""),
      },
    ),
  );
  const owned = stack.move();
  return { world, valkey, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function signDigest(pem: string, digestBase64: string): string {
  const key = createPrivateKey(pem);
  const digest = Buffer.concat([SHA256_PREFIX, Buffer.from(digestBase64, "base64")]);
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digest).toBase64();
}

/** Asks for something of everything, so that every span and metric of the contract has a reason to be. */
export async function exerciseEverything({ world, valkey }: ObservedWorld): Promise<void> {
  const { ask, simulator } = world;
  const asGit = (path: string) => ask("/git-credentials", { body: `protocol=https\nhost=github.com\npath=${path}\n` });
  await ask("/token");
  await ask("/token");
  await ask("/token/release-publisher");
  await asGit("acme/widget.git");
  await ask("/organization/token/plugins");
  await ask("/token/nobody-has-this");
  await ask("/token", { jwt: null });
  await ask("/token", { jwt: "not.a.token" });
  while (valkey.entries.size < 3) await Bun.sleep(5);
  // Past CACHE_LOCAL_TTL_SECS: read from the shared cache again, and opened.
  await Bun.sleep(1100);
  await ask("/token");
  // A pipeline that has moved: what is held must go.
  pipelineOf(simulator, "widget").repository = "https://github.com/acme/gadget.git";
  await asGit("acme/gadget.git");
  // One pipeline's share used up, by answers that nobody remembers.
  const foreign = world.jwt({}, "of-another-owner");
  for (let index = 0; index < CALLS_PER_MINUTE + 1; index += 1) await ask("/token", { jwt: foreign });
  // GitHub asks to slow down.
  simulator.interceptor = (request, upstream) =>
    upstream === "github" && request.method === "POST"
      ? Response.json({ message: "slow down" }, { status: 429, headers: { "retry-after": "1" } })
      : undefined;
  await ask("/organization/token/everything");
  simulator.interceptor = undefined;
  // The App is left alone for the second that GitHub asked for.
  await Bun.sleep(1100);
}

function pipelineOf(simulator: TestWorld["simulator"], slug: string) {
  const pipeline = simulator.world.buildkite.organizations[0]?.pipelines.find((one) => one.slug === slug);
  if (pipeline === undefined) throw new Error(`there is no pipeline ${slug}`);
  return pipeline;
}
