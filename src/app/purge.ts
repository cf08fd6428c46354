import type { AuditLog } from "../audit/audit-log.ts";
import type { AuditToken } from "../audit/entry.ts";
import type { SharedOptions } from "../cache/create-cache.ts";
import type { EntryStore } from "../cache/entry-store.ts";
import type { Purges } from "../cache/purges.ts";
import type { Clock } from "../lib/clock.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import { guardReads } from "../purge/guarded-store.ts";
import { createPurgeLedger } from "../purge/ledger.ts";
import type { Purge } from "../purge/marker.ts";
import { createRevoker, type PurgedToken, type RevocationOutcome } from "../purge/revoker.ts";
import { createPurgeWatch } from "../purge/watch.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { readCacheKey } from "../vending/cache-key.ts";

export interface PurgeParts {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: Pick<AuditLog, "revocation">;
  /** Takes one token back at GitHub. Throws `UpstreamFault`. */
  readonly revoke: (token: string) => Promise<void>;
}

/** What it takes that purges reach this instance: the marker is looked at, and purged tokens are revoked. */
export interface Purging extends Disposable {
  /** The store as the cache is to use it. */
  readonly store: EntryStore;
  readonly purges: Purges<VendedToken>;
  /** `drop` takes out of memory what `purges` says, and returns how many there were. */
  readonly start: (drop: () => number) => void;
}

interface HeldToken extends PurgedToken {
  readonly repositoryUrl: string;
  readonly key: string;
}

export function createPurging({ store, form }: Pick<SharedOptions, "store" | "form">, parts: PurgeParts): Purging {
  const { clock, logger, audit, revoke } = parts;
  const disposables = new DisposableStack();
  const revoker = disposables.use(
    createRevoker<HeldToken>({
      revoke,
      clock,
      observer: {
        decided: (held, outcome) => void record(audit, held, outcome, clock),
        settled: (counts) => logger.info("purged tokens were taken back at GitHub", { ...counts }),
      },
    }),
  );
  const ledger = createPurgeLedger(readCacheKey, clock);
  let drop = (): number => 0;
  const watch = disposables.use(
    createPurgeWatch({
      store,
      form,
      ledger,
      clock,
      observer: {
        noticed: (purges) => logger.warn("purge noticed", { purges: purges.map(describe), dropped: drop() }),
        unreadable: (why) => reportUnreadable(why, logger),
      },
    }),
  );
  return {
    store: guardReads(store, watch),
    purges: {
      isPurged: (key, { issuedAtEpochSeconds }) => ledger.isPurged(key, issuedAtEpochSeconds),
      found: (key, { token, tokenSha256Base64, expiresAtEpochSeconds, repositoryUrl }) =>
        revoker.revoke({ token, tokenSha256Base64, expiresAtEpochSeconds, repositoryUrl, key }),
    },
    start: (dropFromMemory) => {
      drop = dropFromMemory;
      watch.start();
    },
    [Symbol.dispose]: () => disposables.dispose(),
  };
}

/** In the background: nobody waits for the line, and the log of standard output keeps it. */
async function record(
  audit: PurgeParts["audit"],
  held: HeldToken,
  outcome: RevocationOutcome,
  clock: Clock,
): Promise<void> {
  const line = audit.revocation({
    token: describeHeld(held, clock),
    outcome: outcome.kind,
    ...(outcome.kind === "given-up" ? { error: outcome.cause } : {}),
  });
  // A line that failed to be written waits for the next write.
  await line.written.catch(() => undefined);
}

function describeHeld(
  { key, repositoryUrl, tokenSha256Base64, expiresAtEpochSeconds }: HeldToken,
  clock: Clock,
): AuditToken {
  const origin = readCacheKey(key);
  return {
    ...(origin === undefined
      ? {}
      : { requestedProfile: origin.urn, applicationID: origin.appId, installationID: origin.installationId }),
    ...(repositoryUrl === "" ? {} : { vendedRepository: repositoryUrl }),
    hashedToken: tokenSha256Base64,
    expiry: formatEpochSeconds(expiresAtEpochSeconds),
    expiryRemaining: Math.floor(expiresAtEpochSeconds - clock.nowMs() / 1000),
  };
}

function describe({ id, scope, issuedBeforeEpochSeconds }: Purge): object {
  return { id, scope, issuedBefore: formatEpochSeconds(issuedBeforeEpochSeconds) };
}

function reportUnreadable(why: string | undefined, logger: Logger): void {
  if (why === undefined) logger.info("purge marker can be read again, or is gone");
  else logger.error("purge marker cannot be read: a purge may be going unnoticed here", { why });
}
