import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createAead } from "../../src/tink/create-aead.ts";
import { addKey, createKeyset, deleteKey, destroyKey, disableKey, promoteKey } from "../../src/tink/edit-keyset.ts";
import { parseEncryptedKeyset, writeEncryptedKeyset } from "../../src/tink/encrypted-keyset.ts";
import { parseJsonText } from "../../src/tink/json-text.ts";
import { KEY_TEMPLATES } from "../../src/tink/key-templates.ts";
import { parseBinaryKeyset, writeKeysetBinary } from "../../src/tink/keyset-binary.ts";
import { KeysetError } from "../../src/tink/keyset-error.ts";
import { parseCleartextKeyset, writeCleartextKeyset } from "../../src/tink/keyset-json.ts";
import { parseKeysetDocument } from "../../src/tink/keyset-document.ts";
import type { Keyset } from "../../src/tink/keyset.ts";
import { concatBytes, presentField, varintField } from "../../src/tink/wire-writer.ts";
import { systemRandom } from "../../src/lib/random.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = fc.uint8Array({ maxLength: 700 });
const template = fc.constantFrom(...KEY_TEMPLATES);

/** Keysets as a history of edits leaves them. */
const keysets: fc.Arbitrary<Keyset> = fc
  .tuple(template, fc.array(fc.tuple(template, fc.constantFrom("keep", "promote", "disable", "delete", "destroy"))))
  .map(([first, rest]) =>
    rest.reduce(
      (keyset, [next, act]) => {
        const { keyset: added, keyId } = addKey(keyset, next, systemRandom);
        if (act === "promote") return promoteKey(added, keyId);
        if (act === "disable") return disableKey(added, keyId);
        if (act === "delete") return deleteKey(added, keyId);
        return act === "destroy" ? destroyKey(added, keyId) : added;
      },
      createKeyset(first, systemRandom),
    ),
  );

function withoutMaterialOfDestroyed({ primaryKeyId, keys }: Keyset): Keyset {
  const empty = { typeUrl: "", value: new Uint8Array(), keyMaterialType: 0 };
  return {
    primaryKeyId,
    keys: keys.map(({ keyId, status, outputPrefix, keyData }) => {
      expect([keyId, keyData.value.length === 0]).toEqual([keyId, status === "DESTROYED"]);
      return { keyId, status, outputPrefix, keyData: status === "DESTROYED" ? empty : keyData };
    }),
  };
}

function onlyKeysetErrors(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof KeysetError)) throw error;
  }
}

describe("keysets", () => {
  test("are the same after writing and reading, in binary and in JSON", () => {
    fc.assert(
      fc.property(keysets, (keyset) => {
        const binary = writeKeysetBinary(keyset);
        expect(writeKeysetBinary(parseBinaryKeyset(binary))).toEqual(binary);
        const fromJson = parseCleartextKeyset(utf8(writeCleartextKeyset(keyset)));
        // The one difference: in JSON a destroyed key has to carry a key material type that tinkey accepts.
        expect(writeKeysetBinary(withoutMaterialOfDestroyed(fromJson))).toEqual(binary);
        expect(parseEncryptedKeyset(utf8(writeEncryptedKeyset(binary, keyset))).ciphertext).toEqual(binary);
      }),
    );
  });

  test("are recognised in each of their four forms, whatever the KMS made of them", () => {
    fc.assert(
      fc.property(keysets, fc.uint8Array({ minLength: 16, maxLength: 700 }), (keyset, ciphertext) => {
        const cleartext: any = {
          kind: "cleartext",
          keyset: expect.objectContaining({ primaryKeyId: keyset.primaryKeyId }),
        };
        const encrypted: any = { kind: "encrypted", encrypted: expect.objectContaining({ ciphertext }) };
        const summary = presentField(3, varintField(1, keyset.primaryKeyId));
        expect(parseKeysetDocument(writeKeysetBinary(keyset))).toEqual(cleartext);
        expect(parseKeysetDocument(utf8(writeCleartextKeyset(keyset)))).toEqual(cleartext);
        expect(parseKeysetDocument(utf8(writeEncryptedKeyset(ciphertext, keyset)))).toEqual(encrypted);
        expect(parseKeysetDocument(presentField(2, ciphertext))).toEqual(encrypted);
        expect(parseKeysetDocument(concatBytes([presentField(2, ciphertext), summary]))).toEqual(encrypted);
        expect(parseKeysetDocument(concatBytes([summary, presentField(2, ciphertext)]))).toEqual(encrypted);
      }),
    );
  });

  test("open what they sealed, under the same associated data only", () => {
    fc.assert(
      fc.property(keysets, bytes, bytes, bytes, (keyset, plaintext, data, otherData) => {
        const aead = createAead(keyset);
        const sealed = aead.seal(plaintext, data);
        expect(aead.open(sealed, data)).toEqual(plaintext);
        if (!Buffer.from(data).equals(otherData)) expect(aead.open(sealed, otherData)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  test("open no ciphertext of which a bit was flipped or a byte cut", () => {
    fc.assert(
      fc.property(keysets, bytes, fc.nat(), fc.nat(7), (keyset, plaintext, position, bit) => {
        const aead = createAead(keyset);
        const sealed = aead.seal(plaintext, new Uint8Array());
        const flipped = sealed.with(position % sealed.length, (sealed[position % sealed.length] ?? 0) ^ (1 << bit));
        expect(aead.open(flipped, new Uint8Array())).toBeUndefined();
        expect(aead.open(sealed.subarray(0, position % sealed.length), new Uint8Array())).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

describe("readers of keysets", () => {
  test("throw nothing but KeysetError on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (document) => {
        onlyKeysetErrors(() => parseBinaryKeyset(document));
        onlyKeysetErrors(() => parseCleartextKeyset(document));
        onlyKeysetErrors(() => parseEncryptedKeyset(document));
      }),
    );
  });

  test("throw nothing but KeysetError on a keyset with one byte changed", () => {
    fc.assert(
      fc.property(keysets, fc.nat(), fc.nat(255), (keyset, position, byte) => {
        const binary = writeKeysetBinary(keyset);
        onlyKeysetErrors(() => createAead(parseBinaryKeyset(binary.with(position % binary.length, byte))));
        const json = utf8(writeCleartextKeyset(keyset));
        onlyKeysetErrors(() => createAead(parseCleartextKeyset(json.with(position % json.length, byte))));
      }),
    );
  });

  test("read any JSON that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), (text) => {
        parseJsonText(utf8(text));
      }),
    );
  });

  test("refuse as JSON whatever JSON.parse refuses", () => {
    const almostJson = fc
      .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.string({ maxLength: 2 }))
      .map(([text, at, cut]) => text.slice(0, at % (text.length + 1)) + cut + text.slice((at % (text.length + 1)) + 1));
    fc.assert(
      fc.property(almostJson, (text) => {
        let refused = false;
        try {
          JSON.parse(text);
        } catch {
          refused = true;
        }
        if (refused) expect(() => parseJsonText(utf8(text))).toThrow(KeysetError);
      }),
      { numRuns: 1000 },
    );
  });
});
