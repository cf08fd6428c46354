import { createClearForm, createSealedForm, type EntryForm } from "../cache/entry-form.ts";
import type { ValkeyConfiguration } from "../config/configuration.ts";
import { loadKeyset } from "../keyset/load-keyset.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Purge } from "../purge/marker.ts";
import { orderPurge, type OrderOutcome } from "../purge/order-purge.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createAwsStage, type AwsStage } from "./aws.ts";
import { createKeysetPlace } from "./keyset-place.ts";
import { openSharedStore } from "./shared-store.ts";

/** A person waits, perhaps far from the server: longer than a request may. */
const PATIENCE_MS = 5_000;

/**
 * Orders a purge from whoever shares this cache. Throws `KeysetFailure`, what `openSharedStore` throws, and `valkey-unavailable`, which
 * says why.
 */
export async function orderPurgeAt(
  valkey: ValkeyConfiguration,
  purge: Purge,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Exclude<OrderOutcome, { readonly kind: "unavailable" }>> {
  using aws = createAwsStage(clock, logger);
  const form = await createForm(valkey, aws, clock);
  const timing = { requestBudgetMs: PATIENCE_MS, slowMs: PATIENCE_MS };
  await using store = await openSharedStore(valkey, aws, clock, () => undefined, timing);
  const { state, failure } = await store.firstStatus();
  if (state === "down") throw unavailable(failure);
  const outcome = await orderPurge(purge, { store, form, clock, owner: crypto.randomUUID() });
  if (outcome.kind === "unavailable") throw unavailable(store.status().failure);
  return outcome;
}

async function createForm({ keyset, keyPrefix }: ValkeyConfiguration, aws: AwsStage, clock: Clock): Promise<EntryForm> {
  if (keyset === undefined) return createClearForm(keyPrefix);
  const { aead } = await loadKeyset(createKeysetPlace(keyset, aws).store);
  return createSealedForm({ keyPrefix, currentAead: () => aead, clock, observer: { ciphered: () => undefined } });
}

function unavailable(failure: { readonly reason: string; readonly detail?: string } | undefined): BridgeError {
  const why = failure === undefined ? "it does not take the command" : `${failure.reason}: ${failure.detail ?? ""}`;
  return new BridgeError("valkey-unavailable", `valkey: ${why}`);
}
