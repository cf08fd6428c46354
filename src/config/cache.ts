import type { CacheConfiguration, ValkeyConfiguration } from "./configuration.ts";
import { ENCRYPTION, readKeyset } from "./encryption.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { choice, seconds, lineOfText } from "./format.ts";
import { variablesOf } from "./variable.ts";
import { readValkeyConnection, VALKEY, type CheckIam } from "./valkey.ts";

const { defaulted, optional } = variablesOf("cache");

/** What is kept, for how long, and where. */
export const CACHE = {
  type: defaulted({
    name: "CACHE_TYPE",
    default: "memory",
    meaning: "memory: in this process alone. valkey: the same, in front of a Valkey or Redis that instances share.",
    format: choice("memory", "valkey"),
  }),
  tokenTtlMs: defaulted({
    name: "CACHE_TOKEN_TTL_SECS",
    default: "2700",
    meaning: "How long a token is kept, from its creation; never past its own expiry less 5 minutes.",
    format: seconds(60, 3300),
  }),
  maxStaleMs: defaulted({
    name: "CACHE_MAX_STALE_SECS",
    default: "3300",
    meaning:
      "How long past its time an entry may serve during an outage; never past 5 minutes before the token's expiry.",
    format: seconds(0, 86_400),
  }),
  keyPrefix: optional({
    name: "CACHE_KEY_PREFIX",
    whenUnset: "no prefix",
    meaning: "What every key in Valkey begins with, for deployments that share a server.",
    format: lineOfText("text without control characters"),
  }),
  localTtlMs: defaulted({
    name: "CACHE_LOCAL_TTL_SECS",
    default: "300",
    meaning: "How long an entry may be used from memory before it is read from Valkey again.",
    format: seconds(1, 3300),
  }),
} as const;

/** `checkIam` says what AWS would not accept of a user or cache name. */
export function readCache(reader: EnvironmentReader, checkIam: CheckIam): CacheConfiguration {
  const type = reader.read(CACHE.type);
  const times = { tokenTtlMs: reader.read(CACHE.tokenTtlMs), maxStaleMs: reader.read(CACHE.maxStaleMs) };
  const valkey = readValkey(reader, type === "valkey", checkIam);
  return type === "valkey" && valkey !== undefined ? { ...times, valkey } : times;
}

/** Reads every variable, so that slips show, and asks that they fit together only where they are used. */
function readValkey(reader: EnvironmentReader, used: boolean, checkIam: CheckIam): ValkeyConfiguration | undefined {
  const connection = readValkeyConnection(reader, used, checkIam);
  const keyset = readKeyset(reader, used);
  const keyPrefix = reader.read(CACHE.keyPrefix) ?? "";
  const localTtlMs = reader.read(CACHE.localTtlMs);
  if (!used) warnOfUnused(reader);
  if (connection === undefined) return undefined;
  return { ...connection, ...(keyset === undefined ? {} : { keyset }), keyPrefix, localTtlMs };
}

function warnOfUnused(reader: EnvironmentReader): void {
  const variables = [...Object.values(VALKEY), ENCRYPTION.keysetUri, ENCRYPTION.kmsKeyUri, ENCRYPTION.keysetFile];
  const unused = variables.filter((variable) => reader.isSet(variable)).map(({ name }) => name);
  if (unused.length > 0) reader.warn(CACHE.type, `is memory, so nothing uses ${unused.join(", ")}`);
}
