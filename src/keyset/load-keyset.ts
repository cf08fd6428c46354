import { createAead } from "../tink/create-aead.ts";
import type { Keyset } from "../tink/keyset.ts";
import type { Aead } from "../tink/nonce-aead.ts";
import { KeysetFailure } from "./keyset-failure.ts";
import type { KeysetStore, StoredVersion } from "./keyset-store.ts";
import { summarizeKeyset, type KeysetSummary } from "./keyset-summary.ts";
import { refusing } from "./unwrap-keyset.ts";

/** A keyset in use. Its key bytes are wiped; only the aead still holds keys. */
export interface LoadedKeyset extends StoredVersion {
  readonly aead: Aead;
  readonly summary: KeysetSummary;
}

const TEST_PLAINTEXT = new TextEncoder().encode("chinmina-bridge-encryption-test");
const TEST_ASSOCIATED_DATA = new TextEncoder().encode("validation");

/**
 * Reads the keyset, tries it out, and wipes what was read. Throws `KeysetFailure` that names the step: secret or file, kms,
 * keyset, self-test.
 */
export async function loadKeyset(store: KeysetStore, signal?: AbortSignal): Promise<LoadedKeyset> {
  using stored = await store.read(signal);
  const { keyset, versionId, createdAtEpochMs } = stored;
  return { aead: createTestedAead(keyset, store.name), summary: summarizeKeyset(keyset), versionId, createdAtEpochMs };
}

/** The keyset's aead, once it has sealed and opened a value. Throws `KeysetFailure` in step keyset or self-test. */
export function createTestedAead(keyset: Keyset, place: string): Aead {
  const aead = refusing("keyset", place, () => createAead(keyset));
  const opened = aead.open(aead.seal(TEST_PLAINTEXT, TEST_ASSOCIATED_DATA), TEST_ASSOCIATED_DATA);
  if (opened !== undefined && Buffer.from(opened).equals(TEST_PLAINTEXT)) return aead;
  throw new KeysetFailure("keyset-refused", "self-test", `the keyset in ${place} does not open what it sealed`);
}
