import type { RandomBytes } from "../../src/lib/random.ts";
import { createKeyset } from "../../src/tink/edit-keyset.ts";
import { KEY_TEMPLATES } from "../../src/tink/key-templates.ts";
import type { Keyset, OutputPrefix } from "../../src/tink/keyset.ts";

const PREFIXES: readonly OutputPrefix[] = ["TINK", "CRUNCHY", "LEGACY", "RAW"];

/** A keyset of one key for every template under every prefix that its type has. */
export function createOneKeyKeysets(random: RandomBytes): (readonly [name: string, keyset: Keyset])[] {
  return KEY_TEMPLATES.flatMap((template) => {
    const isXAesGcm = /^XAES|^X_AES/.test(template.name);
    return (isXAesGcm ? [template.outputPrefix] : PREFIXES).map((outputPrefix) => {
      const { primaryKeyId, keys } = createKeyset(template, random);
      const prefixed = keys.map(({ keyId, status, keyData }) => ({ keyId, status, keyData, outputPrefix }));
      return [`${template.name} ${outputPrefix}`, { primaryKeyId, keys: prefixed }] as const;
    });
  });
}

/** Bytes that count up: the same nonces each time. For vectors only. */
export function createCountingRandom(): RandomBytes {
  let next = 0;
  return (size) => Uint8Array.from({ length: size }, () => (next = (next + 1) % 256));
}
