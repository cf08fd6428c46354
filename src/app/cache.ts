import type { Cache } from "../cache/cache.ts";
import { createCache, type SharedOptions } from "../cache/create-cache.ts";
import { createClearForm, createSealedForm, type EntryForm } from "../cache/entry-form.ts";
import type { CacheObserver } from "../cache/observer.ts";
import type { CacheConfiguration, ValkeyConfiguration } from "../config/configuration.ts";
import type { Clock } from "../lib/clock.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { OverBudget } from "../vending/call-budget.ts";
import type { Refusal } from "../vending/mint.ts";
import type { AwsStage } from "./aws.ts";
import { startKeyset } from "./keyset.ts";
import { createCacheReport } from "./report-cache.ts";
import { reportValkey } from "./report-valkey.ts";
import { openSharedStore } from "./shared-store.ts";

const MEMORY_ENTRIES = 10_000;
const CALLER_VARIED_ENTRIES = 2_000;

/** The cache of tokens with what it needs: connections, a keyset that is kept fresh. */
export interface CacheStage extends AsyncDisposable {
  readonly tokens: Cache<VendedToken, Refusal>;
}

export interface CacheParts {
  readonly aws: AwsStage;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the start. */
  readonly stop: AbortSignal;
}

/** Resolves when the keyset, where there is one, is in force. Valkey may be down. Rejects as `openSharedStore` and `startKeyset` do. */
export async function createCacheStage(configuration: CacheConfiguration, parts: CacheParts): Promise<CacheStage> {
  const { clock, logger } = parts;
  await using started = new AsyncDisposableStack();
  const observer = createCacheReport(logger, clock);
  const { tokenTtlMs, valkey } = configuration;
  const shared = valkey && (await openShared(valkey, parts, observer, started));
  const tokens = createCache<VendedToken, Refusal>({
    ttlMs: tokenTtlMs,
    capacity: MEMORY_ENTRIES,
    callerVariedCapacity: CALLER_VARIED_ENTRIES,
    clock,
    observer,
    isOutage,
    ...(shared ? { shared } : {}),
  });
  const stack = started.move();
  return { tokens, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function openShared(
  valkey: ValkeyConfiguration,
  parts: CacheParts,
  observer: CacheObserver,
  stack: AsyncDisposableStack,
): Promise<SharedOptions> {
  const { aws, clock, logger } = parts;
  const form = await createForm(valkey, parts, observer, stack);
  const store = stack.use(await openSharedStore(valkey, aws, clock, (event) => reportValkey(event, logger)));
  return { store, form, localTtlMs: valkey.localTtlMs, newOwner: () => crypto.randomUUID() };
}

async function createForm(
  { keyset, keyPrefix }: ValkeyConfiguration,
  { aws, clock, logger, stop }: CacheParts,
  observer: CacheObserver,
  stack: AsyncDisposableStack,
): Promise<EntryForm> {
  if (keyset === undefined) return createClearForm(keyPrefix);
  const holder = stack.use(await startKeyset(keyset, aws, clock, logger, stop));
  return createSealedForm({ keyPrefix, currentAead: holder.currentAead, clock, observer });
}

/** Nobody could be asked. A refusal, or an answer that breaks GitHub's own rules, is none. */
function isOutage(error: unknown): boolean {
  return error instanceof OverBudget || (error instanceof UpstreamFault && error.code === "upstream-unavailable");
}
