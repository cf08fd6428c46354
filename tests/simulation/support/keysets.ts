import { addKey, createKeyset, disableKey, promoteKey } from "../../../src/tink/edit-keyset.ts";
import { findTemplate } from "../../../src/tink/key-templates.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";

/** The stages of two rotations: each keyset as it follows on the one before. */
export const KEYSETS: readonly Keyset[] = stages();

function stages(): readonly Keyset[] {
  const template = findTemplate("AES128_GCM");
  let seed = 0;
  const random = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, () => (seed += 7) % 251);
  const first = createKeyset(template, random);
  const all = [first];
  for (let rotation = 0, old = first.primaryKeyId; rotation < 2; rotation++) {
    const { keyset, keyId } = addKey(all.at(-1) ?? first, template, random);
    const promoted = promoteKey(keyset, keyId);
    all.push(keyset, promoted, disableKey(promoted, old));
    old = keyId;
  }
  return all;
}
