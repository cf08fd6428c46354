import { describe, expect, test } from "bun:test";
import { createAead } from "../../../src/tink/create-aead.ts";
import { infoAgrees, parseEncryptedKeyset, writeEncryptedKeyset } from "../../../src/tink/encrypted-keyset.ts";
import { parseBinaryKeyset, writeKeysetBinary } from "../../../src/tink/keyset-binary.ts";
import { KeysetError } from "../../../src/tink/keyset-error.ts";
import { parseCleartextKeyset, writeCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";
import {
  documentOf,
  fromHex,
  keysetVectors,
  readVectorBytes,
  utf8,
  verdictCases,
  type VerdictCase,
} from "./vectors.ts";

function readByMode({ mode }: VerdictCase, document: Uint8Array): Keyset {
  if (mode === "clear") return parseCleartextKeyset(document);
  return parseBinaryKeyset(parseEncryptedKeyset(document).ciphertext);
}

/** The stage at which we refuse, in tink-go's words. */
function verdictOf(verdict: VerdictCase): "ok" | "read" | "aead.New" {
  let keyset: Keyset;
  try {
    keyset = readByMode(verdict, documentOf(verdict));
  } catch (error) {
    expect(error).toBeInstanceOf(KeysetError);
    return "read";
  }
  try {
    createAead(keyset);
    return "ok";
  } catch (error) {
    expect(error).toBeInstanceOf(KeysetError);
    return "aead.New";
  }
}

describe("tink-go's verdict on a document is ours", () => {
  test.each(verdictCases.map((verdict) => [verdict.name, verdict] as const))("%s", (_, verdict) => {
    expect(verdictOf(verdict)).toBe(verdict.ok ? "ok" : (verdict.stage ?? "read"));
  });

  test("all 207 documents are there", () => expect(verdictCases.length).toBe(207));
});

describe("a keyset of tink-go", () => {
  const aeads = new Map(
    keysetVectors.sets.map((set) => [set.name, createAead(parseBinaryKeyset(fromHex(set.binaryHex)))] as const),
  );

  test.each(keysetVectors.sets.map((set) => [set.name, set] as const))("%s opens in every form", (_, set) => {
    const keysets = [
      parseCleartextKeyset(utf8(JSON.stringify(set.cleartext))),
      parseBinaryKeyset(fromHex(set.binaryHex)),
      parseBinaryKeyset(parseEncryptedKeyset(utf8(JSON.stringify(set.encryptedIdentityKms))).ciphertext),
    ];
    for (const keyset of keysets) {
      const aead = createAead(keyset);
      for (const { pt, ad, ct } of set.ciphertexts) {
        expect(aead.open(fromHex(ct), fromHex(ad))?.toHex()).toBe(pt);
        expect(aead.open(aead.seal(fromHex(pt), fromHex(ad)), fromHex(ad))?.toHex()).toBe(pt);
        expect(aead.open(fromHex(ct), utf8("other associated data"))).toBeUndefined();
        expect(aead.seal(fromHex(pt), fromHex(ad)).length).toBe(fromHex(ct).length);
      }
    }
  });

  test.each(keysetVectors.sets.map((set) => [set.name, set] as const))(
    "%s is written as tink-go writes it",
    (_, set) => {
      const keyset = parseCleartextKeyset(utf8(JSON.stringify(set.cleartext)));
      expect(writeKeysetBinary(keyset).toHex()).toBe(set.binaryHex);
      expect(JSON.parse(writeCleartextKeyset(keyset))).toEqual(set.cleartext);
      expect(JSON.parse(writeEncryptedKeyset(fromHex(set.binaryHex), keyset))).toEqual(set.encryptedIdentityKms);
    },
  );

  const inBothHands = keysetVectors.decryptMatrix.filter(
    ({ encryptedBy, decryptedBy }) => aeads.has(encryptedBy) && aeads.has(decryptedBy),
  );

  test.each(inBothHands.map(({ encryptedBy, decryptedBy, ok }) => [encryptedBy, decryptedBy, ok] as const))(
    "what %s sealed, %s opens: %p",
    (encryptedBy, decryptedBy, ok) => {
      const set = keysetVectors.sets.find(({ name }) => name === encryptedBy);
      const opened = set?.ciphertexts.map(({ ct, ad }) =>
        aeads.get(decryptedBy)?.open(fromHex(ct), fromHex(ad))?.toHex(),
      );
      expect(opened).toEqual(set?.ciphertexts.map(({ pt }) => (ok ? pt : undefined)));
    },
  );

  // The file's matrix has 81 entries; 17 are about a keyset that is not in the file.
  test("64 entries of the matrix have both keysets", () => expect(inBothHands.length).toBe(64));

  test.each(keysetVectors.rejectedCiphertexts.cases.map((entry) => [entry.name, entry] as const))(
    "a ciphertext with %s stays shut",
    (_, { ct, ad }) => {
      const aead = aeads.get(keysetVectors.rejectedCiphertexts.set);
      expect(aead).toBeDefined();
      expect(aead?.open(fromHex(ct), fromHex(ad))).toBeUndefined();
    },
  );
});

describe("a keyset of tinkey", () => {
  test("in clear text is read and written back as it was", () => {
    const document = readVectorBytes("tink/tinkey-samples/c0.json");
    expect(writeCleartextKeyset(parseCleartextKeyset(document))).toBe(new TextDecoder().decode(document));
  });

  // e5 holds a destroyed key, whose empty key data must be present for tink-go to read it.
  test.each(["e0", "e1", "e2", "e3", "e4", "e5"])("%s is read, and written back byte for byte", (name) => {
    const document = readVectorBytes(`tink/tinkey-samples/${name}.json`);
    const encrypted = parseEncryptedKeyset(document);
    const keyset = parseBinaryKeyset(encrypted.ciphertext);
    createAead(keyset);
    expect(infoAgrees(encrypted.info, keyset)).toBe(true);
    expect(writeEncryptedKeyset(writeKeysetBinary(keyset), keyset)).toBe(new TextDecoder().decode(document));
  });
});
