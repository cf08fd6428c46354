import type { ValkeyAuthentication, ValkeyConfiguration } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { choice, flag, matching, read, refused, passwordSecret, lineOfText, type Format } from "./format.ts";
import { variablesOf } from "./variable.ts";

const { defaulted, optional } = variablesOf("valkey");

type Iam = Extract<ValkeyAuthentication, { kind: "iam" }>;
type Connection = Pick<ValkeyConfiguration, "host" | "port" | "tls" | "authentication">;

/** A name that AWS would not accept. */
export interface IamProblem {
  readonly at: "username" | "cacheName";
  readonly problem: string;
  readonly accepted: string;
}

/** Everything that AWS would not accept; what is absent is not looked at. */
export type CheckIam = (names: {
  readonly service: Iam["service"];
  readonly username: string | undefined;
  readonly cacheName: string | undefined;
}) => readonly IamProblem[];

const address: Format<{ readonly host: string; readonly port: number }> = {
  accepted: "host:port, with an IPv6 address in brackets",
  read: (value) => {
    const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(value);
    const host = match?.[1] ?? match?.[2];
    const port = Number(match?.[3]);
    if (host === undefined || !(port >= 1 && port <= 65_535)) return refused("is not a host and a port");
    const literal = match?.[1] === undefined ? host : `[${host}]`;
    return URL.canParse(`http://${literal}/`) ? read({ host, port }) : refused("is not a host and a port");
  },
};

const name = matching(
  "one word",
  /^[^\s\p{Cc}]{1,256}$/u,
  "has white space or a control character in it, or is too long",
);

/** How the shared cache is reached, and as whom. */
export const VALKEY = {
  address: optional({
    name: "VALKEY_ADDRESS",
    whenUnset: "required with CACHE_TYPE=valkey",
    meaning: "The server, or a cluster's configuration endpoint.",
    format: address,
  }),
  tls: defaulted({
    name: "VALKEY_TLS",
    default: "true",
    meaning: "TLS 1.2 or later, with certificate and name verified.",
    format: flag,
  }),
  tlsCaFile: optional({
    name: "VALKEY_TLS_CA_FILE",
    whenUnset: "the runtime's authorities alone",
    meaning: "A PEM file of more authorities for this connection.",
    format: lineOfText("a path"),
  }),
  username: optional({
    name: "VALKEY_USERNAME",
    whenUnset: "the server's default user",
    meaning: "The user; with IAM, its user id.",
    format: name,
  }),
  password: optional({
    name: "VALKEY_PASSWORD",
    whenUnset: "no password",
    meaning: "The user's password; not with IAM.",
    secret: true,
    format: passwordSecret("the password alone, in one line"),
  }),
  iamEnabled: defaulted({
    name: "VALKEY_IAM_ENABLED",
    default: "false",
    meaning:
      "Log in with short-lived AWS IAM tokens. Needs a user and a cache name, refuses a password, forces TLS on.",
    format: flag,
  }),
  iamCacheName: optional({
    name: "VALKEY_IAM_CACHE_NAME",
    whenUnset: "required with VALKEY_IAM_ENABLED",
    meaning: "The replication group id, serverless cache name, or MemoryDB cluster name.",
    format: name,
  }),
  iamServerless: defaulted({
    name: "VALKEY_IAM_SERVERLESS",
    default: "false",
    meaning: "Whether it is an ElastiCache serverless cache.",
    format: flag,
  }),
  iamService: defaulted({
    name: "VALKEY_IAM_SERVICE",
    default: "elasticache",
    meaning: "The AWS service that the cache belongs to.",
    format: choice("elasticache", "memorydb"),
  }),
} as const;

/** With `used` false the variables are read, and whether they fit together is left open. */
export function readValkeyConnection(
  reader: EnvironmentReader,
  used: boolean,
  checkIam: CheckIam,
): Connection | undefined {
  const before = reader.problems.length;
  const endpoint = reader.read(VALKEY.address);
  if (used && endpoint === undefined && reader.problems.length === before) {
    reader.refuse(VALKEY.address, "is required with CACHE_TYPE=valkey");
  }
  const iamEnabled = reader.read(VALKEY.iamEnabled);
  const authentication = iamEnabled ? readIam(reader, used, checkIam) : readPassword(reader, used);
  const tls = readTls(reader, used && iamEnabled);
  return endpoint === undefined || authentication === undefined ? undefined : { ...endpoint, tls, authentication };
}

/** With `used` false the variables are read, and whether they fit together is left open. */
export function readIam(reader: EnvironmentReader, used: boolean, checkIam: CheckIam): Iam | undefined {
  const username = reader.read(VALKEY.username);
  const cacheName = reader.read(VALKEY.iamCacheName);
  const serverless = reader.read(VALKEY.iamServerless);
  const service = reader.read(VALKEY.iamService);
  if (!used) return undefined;
  if (reader.isSet(VALKEY.password)) reader.refuse(VALKEY.password, "is set, and VALKEY_IAM_ENABLED is too", "unset");
  if (serverless && service === "memorydb") {
    reader.refuse(
      VALKEY.iamServerless,
      "is true, and VALKEY_IAM_SERVICE is memorydb, which has no serverless",
      "false",
    );
  }
  if (!reader.isSet(VALKEY.username)) reader.refuse(VALKEY.username, "is required with VALKEY_IAM_ENABLED");
  if (!reader.isSet(VALKEY.iamCacheName)) reader.refuse(VALKEY.iamCacheName, "is required with VALKEY_IAM_ENABLED");
  for (const { at, problem, accepted } of checkIam({ service, username, cacheName })) {
    reader.refuse(at === "username" ? VALKEY.username : VALKEY.iamCacheName, problem, accepted);
  }
  if (username === undefined || cacheName === undefined) return undefined;
  return { kind: "iam", username, cacheName, service, serverless };
}

function readPassword(reader: EnvironmentReader, used: boolean): ValkeyAuthentication | undefined {
  const username = reader.read(VALKEY.username);
  const password = reader.read(VALKEY.password);
  reader.read(VALKEY.iamCacheName);
  reader.read(VALKEY.iamServerless);
  reader.read(VALKEY.iamService);
  if (password !== undefined) return { kind: "password", ...(username === undefined ? {} : { username }), password };
  if (used && reader.isSet(VALKEY.username) && !reader.isSet(VALKEY.password)) {
    reader.refuse(
      VALKEY.username,
      "is set without VALKEY_PASSWORD or VALKEY_IAM_ENABLED",
      "a user with a way to log in",
    );
  }
  return { kind: "none" };
}

function readTls(reader: EnvironmentReader, forced: boolean): ValkeyConfiguration["tls"] {
  const asked = reader.read(VALKEY.tls);
  const caFile = reader.read(VALKEY.tlsCaFile);
  if (forced && !asked) reader.warn(VALKEY.tls, "is false and has no effect: VALKEY_IAM_ENABLED forces TLS on");
  if (!asked && !forced) return { enabled: false };
  return { enabled: true, ...(caFile === undefined ? {} : { caFile }) };
}
