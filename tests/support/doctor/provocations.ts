import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProblemCode } from "../../../src/doctor/remedies.ts";
import { privateKeyPem } from "../../../src/simulator/rsa-key.ts";
import type { Simulator } from "../../../src/simulator/simulator.ts";
import { awsError, startAwsJsonServer, type AwsAnswer } from "../aws-json-server.ts";
import type { CertificateAuthority } from "../valkey/certificates.ts";
import { type MemoryServerOptions, SILENCE, startMemoryServer } from "../valkey/memory-server.ts";

/** What a case of trouble may use. */
export interface Stage {
  readonly simulator: Simulator;
  readonly authority: CertificateAuthority;
  readonly stack: AsyncDisposableStack;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Brings the trouble about and gives the variables that lead into it; undefined takes one away. */
type Provocation = (stage: Stage) => Variables | Promise<Variables>;

const NOBODY = "http://127.0.0.1:1";
const REGION = { AWS_REGION: "eu-west-1" };
const CREDENTIALS = { AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE", AWS_SECRET_ACCESS_KEY: "canary-of-aws" };
const KMS_KEY = {
  GITHUB_APP_PRIVATE_KEY: undefined,
  GITHUB_APP_PRIVATE_KEY_ARN: "arn:aws:kms:eu-west-1:123456789012:alias/chinmina",
};
const IAM = {
  CACHE_TYPE: "valkey",
  VALKEY_ADDRESS: "localhost:6379",
  VALKEY_USERNAME: "bridge",
  VALKEY_IAM_ENABLED: "true",
  VALKEY_IAM_CACHE_NAME: "tokens",
};
const SECRET = {
  CACHE_ENCRYPTION_ENABLED: "true",
  CACHE_ENCRYPTION_KEYSET_URI: "aws-secretsmanager://chinmina/keyset",
  CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: "aws-kms://arn:aws:kms:eu-west-1:123456789012:alias/keyset",
};

/** Every problem that `doctor` can name, but for a fault of its own. */
export const PROVOCATIONS: Readonly<Record<Exclude<ProblemCode, "unexpected">, Provocation>> = {
  "configuration-invalid": () => ({ SERVER_PORT: "eighty" }),
  "configuration-warning": () => ({}),

  "clock-differs": ({ simulator }) => {
    simulator.interceptor = async (_request, upstream, proceed) => {
      const response = await proceed();
      if (upstream === "github") response.headers.set("date", new Date(Date.now() + 3_600_000).toUTCString());
      return response;
    };
    return {};
  },

  "issuer-unavailable": () => ({ JWT_ISSUER_URL: NOBODY }),
  "issuer-malformed": ({ simulator }) => ({ JWT_ISSUER_URL: `${simulator.oidc.url}/` }),
  "issuer-without-keys": ({ simulator }) => {
    simulator.oidc.publishedKeys.splice(0);
    return {};
  },

  "buildkite-unavailable": instead(
    "buildkite",
    () => new Response("", { status: 503, headers: { "retry-after": "9" } }),
  ),
  "buildkite-token-refused": () => ({ BUILDKITE_API_TOKEN: "canary-of-buildkite" }),
  "buildkite-scope-missing": () => ({ BUILDKITE_API_TOKEN: "bkua_simulator_without_scope" }),
  "buildkite-organization-unknown": () => ({ JWT_BUILDKITE_ORGANIZATION_SLUG: "nobody" }),
  "buildkite-malformed": instead("buildkite", () => new Response("<html>a proxy's page</html>")),
  "buildkite-token-too-wide": ({ simulator }) => {
    const [token] = simulator.world.buildkite.apiTokens;
    if (token !== undefined)
      simulator.world.buildkite.apiTokens[0] = { ...token, scopes: ["read_pipelines", "write_builds"] };
    return {};
  },

  "aws-credentials-missing": () => ({ ...KMS_KEY }),
  "aws-region-missing": () => ({ ...IAM, ...CREDENTIALS }),

  "kms-unavailable": () => ({ ...KMS_KEY, ...CREDENTIALS, AWS_ENDPOINT_URL_KMS: NOBODY }),
  "kms-refused": withAws(() => awsError("AccessDeniedException"), { ...KMS_KEY, ...CREDENTIALS }),
  "kms-malformed": withAws(() => Response.json({ Signature: "AAAA" }), { ...KMS_KEY, ...CREDENTIALS }),

  "github-unavailable": () => ({ GITHUB_API_URL: NOBODY }),
  "github-malformed": instead("github", () => new Response("", { status: 302, headers: { location: "/elsewhere" } })),
  "github-refused": instead("github", () => Response.json({ message: "Not Found" }, { status: 404 })),
  "app-refused": () => ({ GITHUB_APP_ID: "333" }),
  "installation-not-found": () => ({ GITHUB_APP_INSTALLATION_ID: "444" }),
  "installation-suspended": ({ simulator }) => {
    for (const installation of simulator.world.github.installations) installation.suspendedAtMs = Date.now();
    return {};
  },
  "installation-without-account": ({ simulator }) => {
    simulator.interceptor = async (request, _upstream, proceed) => {
      if (!new URL(request.url).pathname.startsWith("/app/installations/")) return undefined;
      const reply: any = await (await proceed()).json();
      return Response.json({ ...reply, account: null });
    };
    return {};
  },
  "installation-of-another-account": ({ simulator }) => {
    const key = simulator.world.github.apps.find(({ id }) => id === 555)?.keys[0];
    if (key === undefined) throw new Error("the world has a foreign App");
    const app = { name: "foreign", appId: 555, installationId: 666, privateKey: privateKeyPem(key) };
    return { GITHUB_APPS: JSON.stringify([app]) };
  },

  "policy-repository-refused": () => ({ GITHUB_ORG_PROFILE: "acme:no-such-repository:profiles.yaml" }),
  "profile-file-not-found": () => ({ GITHUB_ORG_PROFILE: "acme:policy:no-such-file.yaml" }),
  "profile-file-unreadable": () => ({ GITHUB_ORG_PROFILE: undefined, PROFILE_FILE: "/no-such-file" }),
  "profile-file-refused": withPolicy("pipeline: ["),
  "profile-unavailable": withPolicy('pipeline: {profiles: [{name: a, permissions: ["content:read"]}]}'),
  "profile-warning": () => ({}),
  "grant-too-wide": () => ({ GITHUB_ORG_PROFILE: "globex:policy:chinmina/profiles.yaml" }),
  "permission-not-held": withPolicy(
    'pipeline: {profiles: [{name: a, permissions: ["deployments:write"], match: [{claim: pipeline_slug, value: b}]}]}',
  ),
  "repositories-out-of-reach": withPolicy(
    'organization: {profiles: [{name: a, repositories: [widget, no-such-repository], permissions: ["contents:read"]}]}',
  ),

  "keyset-absent": withKeysetFile("/no-such-file"),
  "keyset-file-unreadable": withKeysetFile(tmpdir()),
  "keyset-unusable": () => withKeysetFile(writeTemporary("keyset.json", '{"key":[]}'))(),
  "keyset-secret-unreadable": withAws(() => awsError("AccessDeniedException"), {
    ...SECRET,
    ...CREDENTIALS,
    ...REGION,
    CACHE_TYPE: "valkey",
    VALKEY_ADDRESS: "127.0.0.1:1",
  }),
  "keyset-kms-failed": withAws(
    ({ operation }) =>
      operation === "GetSecretValue"
        ? Response.json({
            ARN: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:chinmina/keyset",
            VersionId: "1",
            SecretString: '{"encryptedKeyset":"AAAAAAAA"}',
            CreatedDate: 1_700_000_000,
          })
        : awsError("AccessDeniedException"),
    { ...SECRET, ...CREDENTIALS, ...REGION, CACHE_TYPE: "valkey", VALKEY_ADDRESS: "127.0.0.1:1" },
  ),

  "valkey-ca-unreadable": () => ({
    CACHE_TYPE: "valkey",
    VALKEY_ADDRESS: "localhost:6379",
    VALKEY_TLS_CA_FILE: "/no-such-file",
  }),
  "valkey-credentials": () => ({ ...IAM, ...REGION }),
  "valkey-dns": () => valkeyAt("no-such-host.invalid:6379"),
  "valkey-unreachable": () => valkeyAt("127.0.0.1:1"),
  "valkey-timeout": withValkey({ answer: () => SILENCE }),
  "valkey-tls": async ({ authority, stack }) => {
    const server = stack.use(await startMemoryServer({ tls: authority.issue(crypto.randomUUID(), ["localhost"]) }));
    return { CACHE_TYPE: "valkey", VALKEY_ADDRESS: `localhost:${server.port}` };
  },
  "valkey-wrongpass": withValkey({ authenticate: () => "wrong" }, { VALKEY_PASSWORD: "canary-of-valkey" }),
  "valkey-noauth": withValkey({ authenticate: () => "wrong" }),
  "valkey-loading": withValkey(refusing("HELLO", "LOADING Redis is loading the dataset in memory")),
  "valkey-handshake": withValkey(refusing("HELLO", "ERR unknown command 'HELLO'")),
  "valkey-noperm": withValkey(refusing("PTTL", "NOPERM this user has no permissions to run the 'pttl' command")),
  "valkey-readonly": withValkey(refusing("SET", "READONLY You can't write against a read only replica.")),
  "valkey-clusterdown": withValkey(refusing("SET", "CLUSTERDOWN The cluster is down")),
  "valkey-outofmemory": withValkey(refusing("SET", "OOM command not allowed when used memory > 'maxmemory'.")),
  "valkey-rejected": withValkey({
    answer: ([name, ...words]) => (name === "SET" && words.includes("NX") ? { raw: "-ERR syntax error" } : undefined),
  }),
  "valkey-closed": withValkey({
    answer: (_command, { socket }) => {
      socket.destroy();
      return SILENCE;
    },
  }),
  "valkey-slow": withValkey({ answer: ([name]) => (name === "SET" ? SILENCE : undefined) }),
  "valkey-protocol": withValkey({ answer: () => ({ raw: "HTTP/1.1 400 Bad Request" }) }),
  "valkey-value-differs": withValkey({ answer: ([name]) => (name === "GET" ? Buffer.from("another") : undefined) }),

  "no-answer-in-time": () => {
    const path = join(mkdtempSync(join(tmpdir(), "doctor-")), "authorities.pem");
    // A pipe whose writer never comes: whoever opens it waits.
    Bun.spawnSync(["mkfifo", path]);
    return { CACHE_TYPE: "valkey", VALKEY_ADDRESS: "localhost:6379", VALKEY_TLS_CA_FILE: path };
  },
};

function instead(upstream: "buildkite" | "github", answer: () => Response): Provocation {
  return ({ simulator }) => {
    simulator.interceptor = (_request, asked) => (asked === upstream ? answer() : undefined);
    return {};
  };
}

function withAws(answer: AwsAnswer, variables: Variables): Provocation {
  return ({ stack }) => ({ ...variables, AWS_ENDPOINT_URL: stack.use(startAwsJsonServer(answer)).url });
}

function withPolicy(text: string): Provocation {
  return ({ simulator }) => {
    simulator.setPolicy(text);
    return {};
  };
}

function withKeysetFile(path: string): () => Variables {
  return () => ({
    ...valkeyAt("127.0.0.1:1"),
    CACHE_ENCRYPTION_ENABLED: "true",
    CACHE_ENCRYPTION_KEYSET_FILE: path,
  });
}

function valkeyAt(address: string): Variables {
  return { CACHE_TYPE: "valkey", VALKEY_ADDRESS: address, VALKEY_TLS: "false" };
}

function withValkey(options: MemoryServerOptions, variables: Variables = {}): Provocation {
  return async ({ stack }) => {
    const server = stack.use(await startMemoryServer(options));
    return { ...valkeyAt(`127.0.0.1:${server.port}`), ...variables };
  };
}

function refusing(command: string, text: string): MemoryServerOptions {
  return { answer: ([name]) => (name === command ? { raw: `-${text}` } : undefined) };
}

function writeTemporary(name: string, text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "doctor-")), name);
  writeFileSync(path, text);
  return path;
}
