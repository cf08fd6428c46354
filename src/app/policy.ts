import type { Configuration } from "../config/configuration.ts";
import type { PolicyInForce } from "../http/services.ts";
import type { Clock } from "../lib/clock.ts";
import { defaultPolicy } from "../profiles/default-policy.ts";
import { createDiskSource } from "../profiles/disk-source.ts";
import { createPolicyStore, type PolicyReading } from "../profiles/policy-store.ts";
import type { ProfileFileSource } from "../profiles/profile-file-source.ts";
import { createPolicyRefresher } from "../profiles/refresh.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { createRefreshTelemetry } from "./observe/refreshes.ts";
import { createGitHubPolicySource } from "./policy-source.ts";
import { reportRefresh } from "./report-refresh.ts";
import type { PolicyAccess, Upstreams } from "./upstreams.ts";

/** The policy in force and what keeps it up to date. */
export interface PolicyStage extends AsyncDisposable {
  readonly current: () => PolicyInForce;
  /** Resolves when a policy is in force; tries until `signal` is aborted. */
  readonly load: (signal: AbortSignal) => Promise<void>;
  /** Refreshes from now on. */
  readonly start: () => void;
  readonly refreshNow: () => void;
}

export interface PolicyParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly telemetry: Telemetry | undefined;
}

export function createPolicyStage(
  configuration: Configuration,
  upstreams: Upstreams,
  { clock, logger, telemetry }: PolicyParts,
): PolicyStage {
  const source = createPolicySource(configuration, upstreams.policy, clock);
  if (source === undefined) return builtInPolicy(logger);
  const { maxStaleMs } = configuration.profiles;
  const store = createPolicyStore({ clock, maxStaleMs });
  telemetry?.metrics.gauge("profile.age", () => {
    const ageMs = store.ageMs();
    return ageMs === undefined ? [] : [{ value: ageMs / 1000, attributes: {} }];
  });
  const refresher = createPolicyRefresher({
    clock,
    store,
    source,
    isAppUsable: (name) => upstreams.apps.find(name) !== undefined,
    observe: (outcome, trigger) => reportRefresh(outcome, trigger, logger),
    ...(telemetry === undefined
      ? {}
      : { around: createRefreshTelemetry(telemetry, () => store.inForce()?.policy.generation.digest) }),
  });
  return {
    current: () => toPolicyInForce(store.read()),
    load: refresher.load,
    start: refresher.start,
    refreshNow: () => void refresher.refreshNow("request"),
    [Symbol.asyncDispose]: () => refresher[Symbol.asyncDispose](),
  };
}

/** Where the profile file is read from; undefined when none is configured. Opens nothing. */
export function createPolicySource(
  { profiles }: Pick<Configuration, "profiles">,
  access: PolicyAccess,
  clock: Clock,
): ProfileFileSource | undefined {
  const { source } = profiles;
  switch (source.kind) {
    case "none":
      return undefined;
    case "file":
      return createDiskSource({ path: source.path, clock });
    case "github":
      return createGitHubPolicySource({ location: source, ...access, clock });
  }
}

/** Without a profile file the default profile is all there is, and nothing ever changes. */
function builtInPolicy(logger: Logger): PolicyStage {
  return {
    current: () => ({ kind: "generation", generation: defaultPolicy }),
    load: () => Promise.resolve(),
    start: () => undefined,
    refreshNow: () => logger.info("there is no profile file to refresh"),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function toPolicyInForce(reading: PolicyReading): PolicyInForce {
  switch (reading.kind) {
    case "in-force":
      return { kind: "generation", generation: reading.generation };
    case "too-old":
      return {
        kind: "unusable",
        cause: `the profile file could not be read for ${Math.round(reading.ageMs / 1000)} seconds`,
      };
    case "none":
      return { kind: "unusable", cause: "no profile file has been loaded yet" };
  }
}
