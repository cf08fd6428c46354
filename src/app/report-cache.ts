import type { UnusedKind } from "../cache/entry-codec.ts";
import type { CacheObserver } from "../cache/observer.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createRenewalReport } from "./report-renewals.ts";

import type { Telemetry } from "../telemetry/telemetry.ts";
import { createCacheTelemetry } from "./observe/cache.ts";

const ONE_LINE_PER_MS = 60_000;
const NOTHING = { operated: () => undefined, ciphered: () => undefined, renewal: () => undefined };

/** Counts what the cache does, with telemetry on. Logs entries that are not used: one line for each kind and minute, with how many there were since the last one. */
export function createCacheReport(logger: Logger, clock: Clock, telemetry?: Telemetry): CacheObserver {
  const told = new Map<UnusedKind, { readonly atMs: number; readonly untold: number }>();

  const unused = (why: UnusedKind): void => {
    const last = told.get(why);
    const nowMs = clock.monotonicMs();
    if (last !== undefined && nowMs - last.atMs < ONE_LINE_PER_MS) {
      told.set(why, { ...last, untold: last.untold + 1 });
      return;
    }
    told.set(why, { atMs: nowMs, untold: 0 });
    logger.warn("cache entry not used", { why, count: (last?.untold ?? 0) + 1 });
  };
  const counted = telemetry === undefined ? NOTHING : createCacheTelemetry(telemetry);
  const reportRenewal = createRenewalReport(logger, clock);
  return {
    ...counted,
    unused,
    renewal: (outcome) => {
      reportRenewal(outcome);
      counted.renewal(outcome);
    },
  };
}
