import type { Cache } from "../cache/cache.ts";
import { createCache, type SharedOptions } from "../cache/create-cache.ts";
import { createClearForm, createSealedForm, type EntryForm } from "../cache/entry-form.ts";
import type { CacheObserver } from "../cache/observer.ts";
import type { CacheConfiguration, ValkeyConfiguration } from "../config/configuration.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import { OverBudget } from "../lib/over-budget.ts";
import { isOutage } from "../lib/upstream-verdict.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { ValkeyObserver } from "../valkey/events.ts";
import type { VendedToken } from "../token/vended-token.ts";
import type { Refusal } from "../vending/mint.ts";
import type { AwsStage } from "./aws.ts";
import { createPurging, type PurgeParts } from "./purge.ts";
import { createCacheReport } from "./report-cache.ts";
import { reportValkey } from "./report-valkey.ts";
import { createValkeyGauge } from "./observe/cache.ts";

const MEMORY_ENTRIES = 10_000;
const CALLER_VARIED_ENTRIES = 2_000;

/** The cache of tokens with what it needs: connections, a keyset that is kept fresh. */
export interface CacheStage extends AsyncDisposable {
  readonly tokens: Cache<VendedToken, Refusal>;
}

export interface CacheParts extends PurgeParts {
  readonly aws: AwsStage;
  readonly awsTraces: Telemetry | undefined;
  readonly telemetry: Telemetry | undefined;
  /** 0 up to 1, as `Math.random`. */
  readonly random: () => number;
  /** Ends the start. */
  readonly stop: AbortSignal;
}

/** Resolves when the keyset, where there is one, is in force. Valkey may be down. Rejects as `openSharedStore` and `startKeyset` do. */
export async function createCacheStage(configuration: CacheConfiguration, parts: CacheParts): Promise<CacheStage> {
  const { clock, logger, telemetry } = parts;
  await using started = new AsyncDisposableStack();
  const observer = createCacheReport(logger, clock, telemetry);
  const { tokenTtlMs, maxStaleMs, valkey } = configuration;
  const shared = valkey && (await openShared(valkey, parts, observer, started));
  const purging = shared && started.use(createPurging(shared, parts));
  const tokens = createCache<VendedToken, Refusal>({
    ttlMs: tokenTtlMs,
    maxStaleMs,
    capacity: MEMORY_ENTRIES,
    callerVariedCapacity: CALLER_VARIED_ENTRIES,
    clock,
    observer,
    random: parts.random,
    isOutage: isLapse,
    ...(shared && purging ? { shared: { ...shared, store: purging.store }, purges: purging.purges } : {}),
  });
  purging?.start(() => tokens.purge());
  const stack = started.move();
  return { tokens, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function openShared(
  valkey: ValkeyConfiguration,
  parts: CacheParts,
  observer: CacheObserver,
  stack: AsyncDisposableStack,
): Promise<SharedOptions> {
  const { aws, clock, logger, telemetry } = parts;
  const form = await createForm(valkey, parts, observer, stack);
  const gauge = telemetry && createValkeyGauge(telemetry);
  const observe: ValkeyObserver = (event) => {
    reportValkey(event, logger);
    gauge?.(event);
  };
  const { openSharedStore } = await import("./shared-store.ts");
  const store = stack.use(await openSharedStore(valkey, aws, clock, observe));
  return { store, form, localTtlMs: valkey.localTtlMs, newOwner: () => crypto.randomUUID() };
}

async function createForm(
  { keyset, keyPrefix }: ValkeyConfiguration,
  parts: CacheParts,
  observer: CacheObserver,
  stack: AsyncDisposableStack,
): Promise<EntryForm> {
  if (keyset === undefined) return createClearForm(keyPrefix);
  // The ciphers take as long to load as all the rest of the service.
  const { startKeyset } = await import("./keyset.ts");
  const holder = stack.use(await startKeyset(keyset, parts));
  return createSealedForm({ keyPrefix, currentAead: holder.currentAead, clock: parts.clock, observer });
}

/** Nothing is known against what is held: nobody could be asked, a pipeline had used up its share, or a token could not be put on record. */
export function isLapse(error: unknown): boolean {
  if (isOutage(error) || error instanceof OverBudget) return true;
  return error instanceof BridgeError && error.code === "output-failed";
}
