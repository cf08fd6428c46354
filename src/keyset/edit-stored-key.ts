import type { RandomBytes } from "../lib/random.ts";
import { addKey, deleteKey, destroyKey, disableKey, enableKey, promoteKey } from "../tink/edit-keyset.ts";
import type { KeyTemplate } from "../tink/key-templates.ts";
import type { Keyset } from "../tink/keyset.ts";
import { changeKeyset, type KeysetChange, type KeysetTools } from "./change-keyset.ts";
import type { StoredVersion } from "./keyset-store.ts";
import { summarizeKeyset, type KeysetSummary } from "./keyset-summary.ts";

/** What can be done to one key. Delete and destroy cannot be undone but by the secret's previous version. */
export type KeyEdit = "promote" | "disable" | "enable" | "delete" | "destroy";

const EDITS: Readonly<Record<KeyEdit, (keyset: Keyset, keyId: number) => Keyset>> = {
  promote: promoteKey,
  disable: disableKey,
  enable: enableKey,
  delete: deleteKey,
  destroy: destroyKey,
};

/** Throws `KeysetFailure`, and `KeysetError` for an edit that the keyset does not allow. */
export async function editStoredKey(
  tools: KeysetTools,
  edit: KeyEdit,
  keyId: number,
  options: { readonly dryRun: boolean },
): Promise<KeysetChange<undefined>> {
  return await changeKeyset(tools, ({ keyset }) => ({ next: EDITS[edit](keyset, keyId), result: undefined }), options);
}

/** Appends a key that opens and does not seal. Its id is in the result. Throws `KeysetFailure`. */
export async function addStoredKey(
  tools: KeysetTools,
  {
    template,
    random,
    dryRun,
  }: { readonly template: KeyTemplate; readonly random: RandomBytes; readonly dryRun: boolean },
): Promise<KeysetChange<{ readonly keyId: number }>> {
  return await changeKeyset(
    tools,
    (stored) => {
      const { keyset, keyId } = addKey(stored.keyset, template, random);
      return { next: keyset, result: { keyId } };
    },
    { dryRun },
  );
}

export interface KeysetListing extends StoredVersion {
  readonly summary: KeysetSummary;
  /** False: the readable summary stored beside the keyset tells something else. Somebody edited it by hand. */
  readonly summaryAgrees: boolean;
}

/** What is stored, without a secret in it. Throws `KeysetFailure`. */
export async function listStoredKeyset({ store, signal }: KeysetTools): Promise<KeysetListing> {
  using stored = await store.read(signal);
  const { keyset, versionId, createdAtEpochMs, summaryAgrees } = stored;
  return { summary: summarizeKeyset(keyset), versionId, createdAtEpochMs, summaryAgrees };
}
