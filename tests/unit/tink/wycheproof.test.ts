import { describe, expect, test } from "bun:test";
import { createAesGcm } from "../../../src/tink/aes-gcm.ts";
import { createAesGcmSiv, createChaCha20Poly1305, createXChaCha20Poly1305 } from "../../../src/tink/noble-aeads.ts";
import type { NonceAead } from "../../../src/tink/nonce-aead.ts";
import { fromHex, readVectors } from "./vectors.ts";

interface Vector {
  readonly tcId: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
  readonly result: "valid" | "invalid" | "acceptable";
}

interface Group {
  readonly keySize: number;
  readonly tests: readonly Vector[];
}

const CASES: readonly [file: string, create: (key: Uint8Array) => NonceAead, count: number][] = [
  ["aes_gcm_test", createAesGcm, 316],
  ["aes_gcm_siv_test", createAesGcmSiv, 202],
  ["chacha20_poly1305_test", createChaCha20Poly1305, 325],
  ["xchacha20_poly1305_test", createXChaCha20Poly1305, 315],
];

describe.each(CASES)("Wycheproof %s", (file, create, count) => {
  const groups: readonly Group[] = readVectors(`wycheproof/${file}.json`).testGroups;
  const vectors = groups.flatMap((group) => group.tests.map((vector) => ({ ...vector, keySize: group.keySize })));
  // Left out, both impossible in a keyset: AES-192, which tink-go refuses and so does createAead, and the two vectors whose
  // nonce is longer than node:crypto takes (Tink's has 12 bytes). Neither may open.
  const isOurs = ({ result, keySize, iv }: (typeof vectors)[number]): boolean =>
    result === "valid" && keySize !== 192 && iv.length <= 2 * 128;

  test("all vectors are there", () => expect(vectors.length).toBe(count));

  test("opens what is valid and nothing that is not", () => {
    const verdicts = vectors.map(({ tcId, key, iv, aad, ct, tag }) => {
      const opened = attempt(() => create(fromHex(key)).open(fromHex(iv), fromHex(ct + tag), fromHex(aad)));
      return [tcId, opened?.toHex()];
    });
    expect(verdicts).toEqual(vectors.map((vector) => [vector.tcId, isOurs(vector) ? vector.msg : undefined]));
  });

  test("seals to the very bytes", () => {
    const valid = vectors.filter(isOurs);
    const sealed = valid.map(({ tcId, key, iv, aad, msg }) => [
      tcId,
      create(fromHex(key)).seal(fromHex(iv), fromHex(msg), fromHex(aad)).toHex(),
    ]);
    expect(sealed).toEqual(valid.map(({ tcId, ct, tag }) => [tcId, ct + tag]));
  });
});

/** As the layer above does it: a forgery may throw. */
function attempt(open: () => Uint8Array | undefined): Uint8Array | undefined {
  try {
    return open();
  } catch {
    return undefined;
  }
}
