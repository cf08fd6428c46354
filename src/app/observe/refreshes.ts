import type { KeysetObserver } from "../../keyset/keyset-holder.ts";
import type { KeysetStore } from "../../keyset/keyset-store.ts";
import type { Clock } from "../../lib/clock.ts";
import type { RefreshOutcome } from "../../profiles/refresh-once.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import { traced, type Span, type Tracing } from "../../telemetry/tracing.ts";

/** A root span around each reading of the profile file, and its count. `digestInForce` is asked before it. */
export function createRefreshTelemetry({ tracing, metrics }: Telemetry, digestInForce: () => string | undefined) {
  return (refresh: () => Promise<RefreshOutcome>): Promise<RefreshOutcome> => {
    const before = digestInForce();
    return traced(tracing, "refresh_organization_profile", { kind: "internal", parent: "root" }, async (span) => {
      const outcome = await refresh();
      metrics.count("profile.refresh", { outcome: outcome.kind === "refreshed" ? "success" : "error" });
      describeRefresh(span, outcome, before);
      return outcome;
    });
  };
}

function describeRefresh(span: Span, outcome: RefreshOutcome, before: string | undefined): void {
  const current = before ?? "";
  if (outcome.kind === "failed") {
    const updated = outcome.cause === "refused" ? outcome.digest : current;
    span.set(describeDigests(current, updated));
    span.fail("profile refresh failed", new Error(reasonOf(outcome)));
    return;
  }
  const { pipeline, organization } = outcome.inspection.counts;
  span.set({
    ...describeDigests(current, outcome.digest),
    "profile.organization.valid_count": organization.valid,
    "profile.organization.invalid_count": organization.invalid,
    "profile.pipeline.valid_count": pipeline.valid,
    "profile.pipeline.invalid_count": pipeline.invalid,
  });
  span.succeed("profile refreshed");
}

function describeDigests(current: string, updated: string) {
  return {
    "profile.digest_current": current,
    "profile.digest_updated": updated,
    "profile.digest_changed": current !== updated,
  };
}

function reasonOf(failed: Extract<RefreshOutcome, { readonly kind: "failed" }>): string {
  if (failed.cause === "unreadable") return failed.message;
  return failed.findings.map(({ line, column, message }) => `${line}:${column} ${message}`).join("; ");
}

/** A root span around each reading of the keyset. */
export function traceKeysetReadings(store: KeysetStore, tracing: Tracing): KeysetStore {
  return {
    ...store,
    read: (signal) => traced(tracing, "refresh_keyset", { kind: "internal", parent: "root" }, () => store.read(signal)),
  };
}

/** Counts readings of the keyset, and knows how old the last good one is. */
export function createKeysetTelemetry(metrics: Metrics, clock: Clock): KeysetObserver {
  let readAtMs: number | undefined;
  const succeeded = (): void => {
    readAtMs = clock.monotonicMs();
    metrics.count("keyset.refresh", { outcome: "success" });
  };
  metrics.gauge("keyset.age", () =>
    readAtMs === undefined ? [] : [{ value: (clock.monotonicMs() - readAtMs) / 1000, attributes: {} }],
  );
  return {
    changed: succeeded,
    confirmed: succeeded,
    refreshFailed: () => metrics.count("keyset.refresh", { outcome: "error" }),
  };
}
