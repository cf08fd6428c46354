import { createAwsStage, type AwsStage } from "../app/aws.ts";
import { configurationChecks } from "../app/configuration-checks.ts";
import { connectApp } from "../app/connected-app.ts";
import type { Configuration } from "../config/configuration.ts";
import type { Environment } from "../config/environment-reader.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { createGitHubClient, type GitHubClient } from "../github/client.ts";
import { boundedFetch } from "../lib/bounded-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import { limitPerHost } from "../lib/limited-fetch.ts";
import { retrySafely } from "../lib/retrying-fetch.ts";
import type { HeldPermissions } from "../permissions/held-permissions.ts";
import { createJsonLogger } from "../telemetry/logger.ts";
import { type Check, worstLast } from "./check.ts";
import { checkApp, type UsableApp } from "./check-app.ts";
import { checkAws } from "./check-aws.ts";
import { checkBuildkite } from "./check-buildkite.ts";
import { checkConfiguration } from "./check-configuration.ts";
import { checkIssuer } from "./check-issuer.ts";
import { checkKeyset } from "./check-keyset.ts";
import { checkPermissions } from "./check-permissions.ts";
import { checkProfiles } from "./check-profiles.ts";
import { checkValkey } from "./check-valkey.ts";
import { watchClocks } from "./clock-watch.ts";

export interface Diagnosis {
  /** The worst last, at every level. */
  readonly checks: readonly Check[];
  /** What every configured App's installation holds; undefined when one of them could not be asked. */
  readonly held: HeldPermissions | undefined;
}

/**
 * Reads the configuration as the service does, then asks each thing that it depends on, with the clients that it would use. Always
 * ends, within a minute whatever hangs, and never rejects for what others do. Changes nothing but a key of its own in Valkey, which it removes; what it mints can
 * read one repository, or repositories' names, and is taken back.
 */
export async function diagnose(environment: Environment, clock: Clock): Promise<Diagnosis> {
  const startedMs = clock.monotonicMs();
  const result = readConfiguration(environment, configurationChecks);
  const own = checkConfiguration(result, clock.monotonicMs() - startedMs);
  if (result.kind === "invalid") return { checks: worstLast([own]), held: undefined };
  // What the stage would log is in the checks already.
  using aws = createAwsStage(
    clock,
    createJsonLogger("error", clock.nowMs, () => undefined),
  );
  const { checks, held } = await checkDependencies(result.configuration, aws, clock);
  return { checks: worstLast([own, ...checks]), held };
}

/** All at once, but for those that need what another has found. */
async function checkDependencies(configuration: Configuration, aws: AwsStage, clock: Clock): Promise<Diagnosis> {
  const watch = watchClocks(boundedFetch, clock);
  const fetch = limitPerHost(watch.fetch, configuration.server.outgoingMaxConnectionsPerHost, clock);
  const retrying = retrySafely(fetch, { clock, random: Math.random });
  const { valkey } = configuration.cache;
  const github = checkGitHub(configuration, createGitHubClient(configuration.github.apiUrl, retrying), aws, clock);
  const others = await Promise.all([
    checkAws(configuration, aws, clock),
    checkIssuer(configuration.jwt, fetch, clock),
    checkBuildkite(configuration, retrying, clock),
    valkey?.keyset === undefined ? undefined : checkKeyset(valkey.keyset, aws, clock),
    valkey === undefined ? undefined : checkValkey(valkey, aws, clock),
  ]);
  const { checks, held } = await github;
  const asked = [...others.filter((check) => check !== undefined), ...checks];
  return { checks: [...asked, await watch.check()], held };
}

async function checkGitHub(
  configuration: Configuration,
  client: GitHubClient,
  aws: AwsStage,
  clock: Clock,
): Promise<Diagnosis> {
  const { defaultApp, otherApps } = configuration.github;
  const main = connectApp(defaultApp, client, { aws, clock });
  const mainChecked = checkApp(main, { client, clock });
  const ours = mainChecked.then(({ value }) => value?.account);
  const others = otherApps.map((app) => checkApp(connectApp(app, client, { aws, clock }), { client, clock, ours }));
  const apps = await Promise.all([mainChecked, ...others]);
  const usable = apps.flatMap(({ value }) => (value === undefined ? [] : [value]));
  const profiles = await checkProfiles({
    configuration,
    client,
    connection: main.connection,
    isAppUsable: (name) => usable.some(({ connected }) => connected.app.name === name),
    clock,
  });
  const permissions = await checkPermissions(profiles.value, usable, clock);
  return {
    checks: [...apps.map(({ check }) => check), profiles.check, permissions],
    held: usable.length === apps.length ? heldBy(usable) : undefined,
  };
}

function heldBy(apps: readonly UsableApp[]): HeldPermissions {
  return new Map(apps.map(({ connected, installation }) => [connected.app.name, installation.permissions]));
}
