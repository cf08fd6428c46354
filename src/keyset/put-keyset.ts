import type { RandomBytes } from "../lib/random.ts";
import { createKeyset } from "../tink/edit-keyset.ts";
import type { KeyTemplate } from "../tink/key-templates.ts";
import { wipeKeyset, type Keyset } from "../tink/keyset.ts";
import { checkBeforeWriting, conflict, retryingConflicts, type KeysetTools } from "./change-keyset.ts";
import type { KmsAccess } from "./key-unwrapper.ts";
import { KeysetFailure } from "./keyset-failure.ts";
import type { KeysetStore } from "./keyset-store.ts";
import { summarizeKeyset, type KeysetSummary } from "./keyset-summary.ts";
import { readForeignKeyset } from "./read-foreign-keyset.ts";

export interface PutOptions {
  /** Whether a keyset that is there already may go, whatever it is. All that is sealed under it can be opened no more. */
  readonly replace: boolean;
  readonly dryRun: boolean;
}

export interface PutReport {
  readonly after: KeysetSummary;
  /** False: a dry run. */
  readonly written: boolean;
  /** Whether something was there before. It stays as the version AWSPREVIOUS. */
  readonly replaced: boolean;
}

/** A new keyset with one key. Throws `KeysetFailure`: `keyset-exists` without `replace`. */
export async function createStoredKeyset(
  tools: KeysetTools,
  options: PutOptions & { readonly template: KeyTemplate; readonly random: RandomBytes },
): Promise<PutReport> {
  const keyset = createKeyset(options.template, options.random);
  try {
    return await putKeyset(tools, keyset, options);
  } finally {
    wipeKeyset(keyset);
  }
}

/**
 * Takes a keyset over from a document, JSON or binary, encrypted under `kms` or clear. `cleartext`: the document holds keys that anyone can
 * read, and should be removed. Throws `KeysetFailure`.
 */
export async function importKeyset(
  tools: KeysetTools,
  document: Uint8Array,
  kms: KmsAccess | undefined,
  options: PutOptions,
): Promise<PutReport & { readonly cleartext: boolean }> {
  using foreign = await readForeignKeyset(document, kms, tools.signal);
  return { ...(await putKeyset(tools, foreign.keyset, options)), cleartext: foreign.cleartext };
}

/**
 * Writes the keyset anew under another KMS key; `target` is the same secret with that key. Services that are configured with the
 * old key fail to read it from then on, and keep what they have. Throws `KeysetFailure`.
 */
export async function convertKeyset(
  tools: KeysetTools,
  target: KeysetStore,
  { dryRun }: Pick<PutOptions, "dryRun">,
): Promise<PutReport> {
  return await retryingConflicts(tools, async () => {
    using stored = await tools.store.read(tools.signal);
    checkBeforeWriting(target, stored.keyset);
    const after = summarizeKeyset(stored.keyset);
    if (dryRun) return { after, written: false, replaced: true };
    const outcome = await target.write(stored.keyset, stored, tools.signal);
    return outcome === "conflict" ? outcome : { after, written: true, replaced: true };
  });
}

/** One try: there is nothing to merge with what somebody else put there meanwhile. */
async function putKeyset({ store, signal }: KeysetTools, keyset: Keyset, options: PutOptions): Promise<PutReport> {
  const { version, isEmpty } = await store.inspect(signal);
  if (!isEmpty && !options.replace) {
    throw new KeysetFailure("keyset-exists", store.step, `${store.name} holds something already; nothing was written`);
  }
  checkBeforeWriting(store, keyset);
  const report = { after: summarizeKeyset(keyset), replaced: !isEmpty };
  if (options.dryRun) return { ...report, written: false };
  if ((await store.write(keyset, version, signal)) === "written") return { ...report, written: true };
  throw conflict(store);
}
