import type { RandomBytes } from "../lib/random.ts";
import type { KeyTemplate } from "../tink/key-templates.ts";
import { changeKeyset, type KeysetChange, type KeysetTools } from "./change-keyset.ts";
import type { StoredKeyset } from "./keyset-store.ts";
import { LOAD_MS, replaceCompromised, rotationStage, takeRotationStep, type RotationStage } from "./rotation.ts";

export interface RotateOptions {
  readonly template: KeyTemplate;
  readonly random: RandomBytes;
  readonly dryRun: boolean;
  /** Takes the next step although it is early. */
  readonly now: boolean;
}

export type RotationOutcome =
  /** The step has been taken (with a dry run: would be). `finished`: it was the last. */
  | { readonly kind: "step"; readonly was: RotationStage; readonly is: RotationStage; readonly finished: boolean }
  /** Nothing was done. `waitMs` is the time until the step is due, by the local clock. */
  | { readonly kind: "early"; readonly was: RotationStage; readonly waitMs: number };

/** Reads where the rotation stands and changes nothing. Throws `KeysetFailure`. */
export async function readRotationStage({ store, signal }: KeysetTools): Promise<RotationStage> {
  using stored = await store.read(signal);
  return stageOf(stored);
}

/**
 * Takes the next step of the rotation if it is due. When somebody else changes the keyset meanwhile, the question is put anew: two
 * operators cannot take two steps at once. Throws `KeysetFailure`.
 */
export async function rotateKeyset(tools: KeysetTools, options: RotateOptions): Promise<KeysetChange<RotationOutcome>> {
  return await changeKeyset<RotationOutcome>(
    tools,
    (stored) => {
      const was = stageOf(stored);
      const nowMs = tools.clock.nowMs();
      const waitMs = was.nextStep === "add" ? 0 : was.dueAtEpochMs - nowMs;
      if (waitMs > 0 && !options.now) return { next: undefined, result: { kind: "early", was, waitMs } };
      const next = takeRotationStep(stored.keyset, was, options.template, options.random);
      const is = rotationStage(next, nowMs);
      return { next, result: { kind: "step", was, is, finished: is.stage === "settled" } };
    },
    options,
  );
}

/** What taking keys out of use at once costs, for the operator to be told. */
export interface CompromiseCost {
  readonly newKeyId: number;
  /** Entries sealed under these can be opened no more: they are fetched again from GitHub. */
  readonly disabledKeyIds: readonly number[];
  /**
   * So long, at most, instances that are not restarted go on sealing under the old key and cannot open what others seal under the
   * new one. They destroy nothing.
   */
  readonly lagMs: number;
}

/** Takes every key out of use at once, for a new one. Throws `KeysetFailure`. */
export async function rotateCompromisedKeyset(
  tools: KeysetTools,
  { template, random, dryRun }: Omit<RotateOptions, "now">,
): Promise<KeysetChange<CompromiseCost>> {
  return await changeKeyset(
    tools,
    ({ keyset }) => {
      const next = replaceCompromised(keyset, template, random);
      const disabledKeyIds = keyset.keys.filter(({ status }) => status === "ENABLED").map(({ keyId }) => keyId);
      return { next, result: { newKeyId: next.primaryKeyId, disabledKeyIds, lagMs: LOAD_MS } };
    },
    { dryRun },
  );
}

function stageOf({ keyset, createdAtEpochMs }: StoredKeyset): RotationStage {
  return rotationStage(keyset, createdAtEpochMs);
}
