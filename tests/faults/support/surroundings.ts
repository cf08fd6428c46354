import { privateKeyPem } from "../../../src/simulator/rsa-key.ts";
import { startEcsCredentials, type EcsCredentials } from "../../../src/simulator/ecs-credentials.ts";
import { startSimulator, type Simulator, type SimulatorKeys } from "../../../src/simulator/simulator.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { isAws, type Fault, type Upstream } from "../lists.ts";
import { createAwsWorld, KEYSET_KEY_ARN, SIGNING_KEY_ARN } from "./aws-world.ts";
import { BODY_CANARY } from "./canaries.ts";
import type { Certificates, Front } from "./front.ts";
import { openHttpFront, type HttpFront } from "./http-front.ts";
import { openValkeyFront, type ValkeyFront } from "./valkey-front.ts";

/** One pipeline profile and one organization profile for each client call, so that each call has a key of its own. */
export const PROFILES = 40;
const numbers = Array.from({ length: PROFILES }, (_, index) => index);
export const POLICY = `pipeline:
  profiles:
${numbers.map((n) => `    - {name: p${n}, permissions: ["contents:read"]}`).join("\n")}
organization:
  profiles:
${numbers.map((n) => `    - {name: o${n}, repositories: ["{{all-repositories}}"], permissions: ["contents:read"]}`).join("\n")}
`;

const KIB = 1024;

export interface SurroundingsOptions {
  readonly clock: Clock;
  readonly keys: SimulatorKeys;
  readonly certificates: Certificates;
  /** Trusted by whoever connects to Valkey. */
  readonly caFile: string;
  /** Where the policy is on disk, for services whose start must not ask GitHub. */
  readonly policyFile: string;
}

/** The outside world of one service, each part behind a front that can fail. */
export interface Surroundings extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly fronts: Readonly<Record<"oidc" | "buildkite" | "github", HttpFront>> & {
    readonly kms?: HttpFront;
    readonly secretsManager?: HttpFront;
    readonly ecs?: HttpFront;
    readonly valkey?: ValkeyFront;
  };
  /** The front of the upstream that is to fail. */
  readonly faulty: Front;
  /** How often that upstream has been asked, as far as its side can see. */
  readonly asked: () => number;
  /** Whether a request of the service is one that the faulty upstream is asked. */
  readonly concerns: (url: string) => boolean;
  readonly environment: Readonly<Record<string, string>>;
  /** What must be in no output, by name. */
  readonly secrets: () => ReadonlyMap<string, string>;
  readonly newJwt: () => string;
}

export async function openSurroundings(upstream: Upstream, options: SurroundingsOptions): Promise<Surroundings> {
  const { clock, keys, certificates } = options;
  await using opened = new AsyncDisposableStack();
  const simulator = opened.use(await startSimulator({ clock, keys }));
  simulator.setPolicy(POLICY);
  simulator.github.rateLimit.limit = 1_000_000;
  const http = async (
    answer: (request: Request) => Promise<Response>,
    wrongType: string,
    longestBytes: number,
    more: Partial<Parameters<typeof openHttpFront>[0]> = {},
  ): Promise<HttpFront> =>
    opened.use(
      await openHttpFront({ certificates, answer, wrongType, longestBytes, errorBody: errorBodyOf(upstream), ...more }),
    );

  const oidc: HttpFront = await http(
    async (request) => {
      const text = await (await ask(simulator.oidc.url, request)).text();
      return new Response(text.replaceAll(simulator.oidc.url, oidc.url), {
        headers: { "content-type": "application/json" },
      });
    },
    `{"issuer":7,"jwks_uri":7,"keys":7,"canary":"${BODY_CANARY}"}`,
    512 * KIB,
  );
  const buildkite = await http(
    (request) => ask(simulator.buildkite.url, request),
    `{"id":7,"repository":["${BODY_CANARY}"]}`,
    4096 * KIB,
  );
  const gitHubPath = GITHUB_PATHS[upstream] ?? /\/access_tokens$/;
  const github = await http(
    (request) => ask(simulator.github.url, request),
    `{"token":7,"expires_at":7,"type":7,"content":["${BODY_CANARY}"]}`,
    4096 * KIB,
    { concerns: (request) => gitHubPath.test(new URL(request.url).pathname) },
  );
  const appKey = keys.main.privateKey;
  const aws = createAwsWorld(appKey);
  const ecsEndpoint =
    upstream === "ecs credentials" ? opened.use(startEcsCredentials({ clock, lifetimeSeconds: 3600 })) : undefined;
  const needsKms = isAws(upstream);
  const needsKeyset = upstream === "kms keyset" || upstream === "secrets manager";
  const kms = needsKms
    ? await http(aws.kms, `{"Plaintext":7,"Signature":{"canary":"${BODY_CANARY}"}}`, 1024 * KIB)
    : undefined;
  const secretsManager = needsKeyset
    ? await http(aws.secretsManager, `{"ARN":7,"SecretString":["${BODY_CANARY}"]}`, 1024 * KIB)
    : undefined;
  const ecs = ecsEndpoint
    ? await http(
        (request) => ask(ecsEndpoint.url, request),
        `{"AccessKeyId":7,"SecretAccessKey":["${BODY_CANARY}"]}`,
        1024 * KIB,
      )
    : undefined;
  const needsValkey = upstream === "valkey" || needsKeyset;
  const valkey = needsValkey ? opened.use(await openValkeyFront(certificates)) : undefined;
  const fronts = {
    oidc,
    buildkite,
    github,
    ...(kms ? { kms } : {}),
    ...(secretsManager ? { secretsManager } : {}),
    ...(ecs ? { ecs } : {}),
    ...(valkey ? { valkey } : {}),
  };
  const faulty = frontOf(upstream, fronts);
  const jwts: string[] = [];
  const base = simulator.environment();
  const environment: Record<string, string> = {
    ...base,
    SERVER_PORT: "0",
    SERVER_HOST: "127.0.0.1",
    LOG_LEVEL: "debug",
    CALLER_UPSTREAM_CALLS_PER_MINUTE: "100000",
    JWT_ISSUER_URL: oidc.url,
    BUILDKITE_API_URL: buildkite.url,
    GITHUB_API_URL: github.url,
    GITHUB_URL: "https://github.com",
    ...(upstream === "kms sign" || upstream === "ecs credentials"
      ? { GITHUB_APP_PRIVATE_KEY_ARN: SIGNING_KEY_ARN }
      : {}),
    ...(valkey
      ? {
          CACHE_TYPE: "valkey",
          VALKEY_ADDRESS: `127.0.0.1:${valkey.port}`,
          VALKEY_TLS: "true",
          VALKEY_TLS_CA_FILE: options.caFile,
        }
      : {}),
    ...(needsKeyset
      ? {
          CACHE_ENCRYPTION_ENABLED: "true",
          CACHE_ENCRYPTION_KEYSET_URI: "aws-secretsmanager://tink-keyset",
          CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: `aws-kms://${KEYSET_KEY_ARN}`,
        }
      : {}),
    ...(needsKms ? awsVariables(fronts, ecsEndpoint) : {}),
  };
  if (environment["GITHUB_APP_PRIVATE_KEY_ARN"] !== undefined) delete environment["GITHUB_APP_PRIVATE_KEY"];
  const stack = opened.move();
  return {
    simulator,
    fronts,
    faulty,
    asked: () => (upstream === "valkey" ? faulty.connected : (faulty as HttpFront).asked),
    concerns: (url) => {
      if (!url.startsWith(`https://127.0.0.1:${faulty.port}/`)) return false;
      return faulty !== github || gitHubPath.test(new URL(url).pathname);
    },
    environment,
    secrets: () =>
      new Map([
        ["what a faulty upstream sent", BODY_CANARY],
        ["the App's key", privateKeyPem(keys.main).split("\n")[3] ?? ""],
        ["Buildkite's API token", base["BUILDKITE_API_TOKEN"] ?? ""],
        ["the keyset", aws.keysetBase64],
        ...Object.entries(environment)
          .filter(([name]) => /SECRET_ACCESS_KEY|AUTHORIZATION_TOKEN/.test(name))
          .map(([name, value]): [string, string] => [name, value]),
        ...jwts.map((jwt, index): [string, string] => [`client JWT ${index}`, jwt.split(".")[2] ?? ""]),
        ...simulator.github
          .issuedTokens()
          .map(({ token }, index): [string, string] => [`GitHub token ${index}`, token]),
      ]),
    newJwt: () => {
      const jwt = simulator.oidc.issueToken({ iss: oidc.url }, { jobId: simulator.jobOf("widget").id });
      jwts.push(jwt);
      return jwt;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function awsVariables(fronts: Surroundings["fronts"], ecs: EcsCredentials | undefined): Record<string, string> {
  return {
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_KMS: fronts.kms?.url ?? "",
    ...(fronts.secretsManager ? { AWS_ENDPOINT_URL_SECRETS_MANAGER: fronts.secretsManager.url } : {}),
    ...(ecs && fronts.ecs
      ? {
          ...ecs.environment,
          AWS_CONTAINER_CREDENTIALS_FULL_URI: (ecs.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "").replace(
            ecs.url,
            fronts.ecs.url,
          ),
        }
      : { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "canary-of-the-secret-access-key" }),
  };
}

function frontOf(upstream: Upstream, fronts: Surroundings["fronts"]): Front {
  const of = {
    oidc: fronts.oidc,
    buildkite: fronts.buildkite,
    "github tokens": fronts.github,
    "github contents": fronts.github,
    "github installation": fronts.github,
    "kms sign": fronts.kms,
    "kms keyset": fronts.kms,
    "secrets manager": fronts.secretsManager,
    "ecs credentials": fronts.ecs,
    valkey: fronts.valkey,
  }[upstream];
  if (of === undefined) throw new TypeError(`${upstream} has no front`);
  return of;
}

/** Which of GitHub's requests are meant. */
const GITHUB_PATHS: Partial<Record<Upstream, RegExp>> = {
  "github contents": /\/contents\//,
  "github installation": /^\/app\/installations\/\d+$/,
};

async function ask(base: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = await request.text();
  return fetch(`${base}${pathname}${search}`, {
    method: request.method,
    headers: request.headers,
    ...(body === "" ? {} : { body }),
    redirect: "manual",
  });
}

/** AWS names its errors in the body; the others say what they like. */
function errorBodyOf(upstream: Upstream): (status: number, name: Fault) => string {
  return (status, name) => {
    const message = `because of ${BODY_CANARY}`;
    if (!isAws(upstream)) return JSON.stringify({ message, errors: [BODY_CANARY] });
    const type = name === "throttling" ? "ThrottlingException" : (AWS_ERRORS[status] ?? "SomeException");
    return JSON.stringify({ __type: `com.amazonaws.service#${type}`, message });
  };
}

const AWS_ERRORS: Readonly<Record<number, string>> = {
  400: "AccessDeniedException",
  401: "UnrecognizedClientException",
  403: "AccessDeniedException",
  404: "NotFoundException",
  422: "ValidationException",
};
