import { isLoopbackHost } from "../lib/loopback.ts";
import type { Configuration } from "./configuration.ts";
import type { Warning } from "./environment-reader.ts";
import { DEFAULT_AUDIENCE } from "./identity.ts";

/** What is legal and dangerous in a configuration, one warning each: told at the start and by `doctor`. */
export function findDangers(configuration: Configuration): readonly Warning[] {
  const found = [...identityDangers(configuration), ...cacheDangers(configuration), ...otherDangers(configuration)];
  return found.map(([variable, warning]) => ({ variable, warning }));
}

type Danger = readonly [variable: string, warning: string];

function* identityDangers({ jwt }: Configuration): Generator<Danger> {
  if (jwt.audience === DEFAULT_AUDIENCE) {
    yield [
      "JWT_AUDIENCE",
      "is the default, which other installations share: whoever else accepts it can replay your jobs' tokens here",
    ];
  }
  if (jwt.organizationId === undefined) {
    yield [
      "JWT_BUILDKITE_ORGANIZATION_ID",
      "is not set: should the slug ever be freed, whoever registers it again is believed",
    ];
  }
}

function* cacheDangers({ cache: { valkey } }: Configuration): Generator<Danger> {
  if (valkey === undefined) return;
  if (valkey.keyset === undefined) {
    yield ["CACHE_ENCRYPTION_ENABLED", "is false: whoever can read Valkey can use the GitHub tokens in it"];
  }
  if (valkey.keyset?.kind === "file") {
    yield ["CACHE_ENCRYPTION_KEYSET_FILE", "is for development: the keyset lies in clear in a file"];
  }
  if (!valkey.tls.enabled && !isLoopbackHost(valkey.host)) {
    yield ["VALKEY_TLS", "is false: what is sent to Valkey can be read and changed on the way"];
  }
}

function* otherDangers({ github, profiles, discloseAppIdentifiers }: Configuration): Generator<Danger> {
  if (github.defaultApp.key.kind === "privateKey") {
    yield ["GITHUB_APP_PRIVATE_KEY", "is a key that can be copied; a key in KMS (GITHUB_APP_PRIVATE_KEY_ARN) cannot"];
  }
  const others = github.otherApps.filter((app) => app.key.kind === "privateKey").map((app) => app.name);
  if (others.length > 0) {
    yield ["GITHUB_APPS", `has keys that can be copied (${others.join(", ")}); a key in KMS (privateKeyArn) cannot`];
  }
  if (profiles.allowSelfWrite) {
    yield ["PROFILE_ALLOW_SELF_WRITE", "is true: a job can be given write access to the policy that rules it"];
  }
  if (discloseAppIdentifiers) {
    yield ["DEV_DISCLOSE_APP_IDENTIFIERS", "is for development: replies tell the App's ids to every caller"];
  }
}
