import type { RandomBytes } from "../lib/random.ts";
import { addKey, disableKey, promoteKey } from "../tink/edit-keyset.ts";
import type { KeyTemplate } from "../tink/key-templates.ts";
import type { Keyset } from "../tink/keyset.ts";

const MINUTE_MS = 60_000;
/** From adding a key to sealing with it: every instance has to be able to open what it seals. */
export const LOAD_MS = 15 * MINUTE_MS;
/** From sealing with a new key to shutting the old one: 15 minutes until all do, 60 until entries under the old one are gone. */
export const DRAIN_MS = 75 * MINUTE_MS;

/**
 * Where a rotation stands. It is read off the keyset alone, so an interrupted one goes on where it was: keys are only ever
 * appended, and so an enabled key behind the primary is newer than it, and one before it is older.
 */
export type RotationStage =
  /** One enabled key. The next step, adding one, is always due. */
  | { readonly stage: "settled"; readonly nextStep: "add"; readonly dueAtEpochMs: number }
  /** A newer key that opens and does not seal yet. */
  | { readonly stage: "added"; readonly nextStep: "promote"; readonly newKeyId: number; readonly dueAtEpochMs: number }
  /** Older keys that open and seal no more. Disabling them ends the rotation. */
  | {
      readonly stage: "promoted";
      readonly nextStep: "disable";
      readonly oldKeyIds: readonly number[];
      readonly dueAtEpochMs: number;
    };

/**
 * `changedAtEpochMs` is when the stored version was made: whatever the last change was, no wait is shorter than it has to be.
 * Of several newer keys the newest is taken.
 */
export function rotationStage({ primaryKeyId, keys }: Keyset, changedAtEpochMs: number): RotationStage {
  const primaryAt = keys.findIndex(({ keyId }) => keyId === primaryKeyId);
  const enabled = (from: number, to?: number): number[] =>
    keys.slice(from, to).flatMap(({ status, keyId }) => (status === "ENABLED" ? [keyId] : []));
  const newKeyId = enabled(primaryAt + 1).at(-1);
  const oldKeyIds = enabled(0, primaryAt);
  if (newKeyId !== undefined) {
    return { stage: "added", nextStep: "promote", newKeyId, dueAtEpochMs: changedAtEpochMs + LOAD_MS };
  }
  if (oldKeyIds.length > 0) {
    return { stage: "promoted", nextStep: "disable", oldKeyIds, dueAtEpochMs: changedAtEpochMs + DRAIN_MS };
  }
  return { stage: "settled", nextStep: "add", dueAtEpochMs: changedAtEpochMs };
}

/** The keyset after the next step. Whether that is due is the caller's to ask. Throws `KeysetError`. */
export function takeRotationStep(
  keyset: Keyset,
  stage: RotationStage,
  template: KeyTemplate,
  random: RandomBytes,
): Keyset {
  switch (stage.nextStep) {
    case "add":
      return addKey(keyset, template, random).keyset;
    case "promote":
      return promoteKey(keyset, stage.newKeyId);
    case "disable":
      return stage.oldKeyIds.reduce(disableKey, keyset);
    default:
      return stage satisfies never;
  }
}

/**
 * All three steps in one, for a keyset that has leaked: a key that nobody has seen becomes the primary, and every other key is disabled,
 * one that waited to be promoted too.
 */
export function replaceCompromised(keyset: Keyset, template: KeyTemplate, random: RandomBytes): Keyset {
  const { keyset: added, keyId } = addKey(keyset, template, random);
  const others = keyset.keys.filter(({ status }) => status === "ENABLED");
  return others.reduce((next, other) => disableKey(next, other.keyId), promoteKey(added, keyId));
}
