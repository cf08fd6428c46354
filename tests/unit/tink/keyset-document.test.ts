import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import { parseBinaryKeyset } from "../../../src/tink/keyset-binary.ts";
import { parseKeysetDocument } from "../../../src/tink/keyset-document.ts";
import { KeysetError } from "../../../src/tink/keyset-error.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";
import { concatBytes, presentField, varintField } from "../../../src/tink/wire-writer.ts";
import { fromHex, keysetVectors, readVectorBytes, readVectors, utf8 } from "./vectors.ts";

const idsOf = ({ primaryKeyId, keys }: Keyset) => ({
  primaryKeyId,
  keys: keys.map(({ keyId, status }) => ({ keyId, status })),
});

/** The KMS of the vectors does nothing: its ciphertext is the binary keyset. */
function readWhole(document: Uint8Array): { kind: string; ids: ReturnType<typeof idsOf> } {
  const found = parseKeysetDocument(document);
  const keyset = found.kind === "cleartext" ? found.keyset : parseBinaryKeyset(found.encrypted.ciphertext);
  return { kind: found.kind, ids: idsOf(keyset) };
}

describe("parseKeysetDocument()", () => {
  const recorded = readVectors("tink-interop/documents.json");

  test.each([
    ["json", "cleartext"],
    ["binary", "cleartext"],
    ["encrypted", "encrypted"],
    ["encrypted-binary", "encrypted"],
  ])("reads what tink-go wrote: %s", (kind, expected) => {
    const { document } = recorded.documents.find((one: any) => one.kind === kind);
    expect(readWhole(fromHex(document))).toEqual({ kind: expected, ids: recorded.expected });
  });

  // tink-go and tinkey leave the summary out of the binary form; others need not.
  test("passes an encrypted document's summary on, whatever it says", () => {
    const key = concatBytes([presentField(1, utf8("t")), varintField(2, 2), varintField(3, 9), varintField(4, 3)]);
    const summary = presentField(3, concatBytes([varintField(1, 7), presentField(2, key)]));
    const found = parseKeysetDocument(concatBytes([summary, presentField(2, Uint8Array.of(1, 2))]));
    expect(found).toEqual({
      kind: "encrypted",
      encrypted: {
        ciphertext: Uint8Array.of(1, 2),
        info: { primaryKeyId: 7, keys: [{ typeUrl: "t", status: 2, keyId: 9, outputPrefix: 3 }] },
      },
    });
  });

  test.each(keysetVectors.sets.map((set) => [set.name, set] as const))("reads every form of %s", (_name, set) => {
    const forms = [
      fromHex(set.binaryHex),
      utf8(JSON.stringify(set.cleartext)),
      utf8(JSON.stringify(set.encryptedIdentityKms)),
      presentField(2, fromHex(set.binaryHex)),
    ].map((document) => readWhole(document));
    expect(forms.map(({ kind }) => kind)).toEqual(["cleartext", "cleartext", "encrypted", "encrypted"]);
    for (const { ids } of forms) expect(ids).toEqual(idsOf(parseBinaryKeyset(fromHex(set.binaryHex))));
  });

  test.each(readdirSync(join(import.meta.dir, "../../vectors/tink/tinkey-samples")))("reads tinkey's %s", (file) => {
    const { kind } = readWhole(readVectorBytes(`tink/tinkey-samples/${file}`));
    expect(kind).toBe(file.startsWith("c") ? "cleartext" : "encrypted");
  });

  const key = fromHex(keysetVectors.sets[0]?.binaryHex ?? "");
  test.each([
    ["nothing", new Uint8Array(), "there is nothing in it"],
    ["text", utf8("not a keyset"), "not a JSON document"],
    ["a byte order mark before JSON", utf8('\uFEFF{"primaryKeyId":1}'), "not a JSON document"],
    ["an id and no keys", varintField(1, 7), "has no keys"],
    ["an id cut short", Uint8Array.of(0x08, 0x80), "truncated number"],
    ["a key cut short", key.slice(0, -1), "truncated field"],
    ["an encrypted keyset of no bytes", presentField(2, new Uint8Array()), "it has no keys"],
    ["a summary alone", presentField(3, varintField(1, 7)), "it has no keys"],
    [
      "a summary that is no message",
      concatBytes([presentField(2, key), presentField(3, utf8("x"))]),
      "truncated number",
    ],
    ["a summary of a type in broken UTF-8", presentSummary(Uint8Array.of(0xff)), "a string is not UTF-8"],
    ["both kinds at once", concatBytes([key, presentField(3, varintField(1, 7))]), "in clear and of an encrypted one"],
    ["field number 0", Uint8Array.of(0x12, 1, 1, 0x02, 0), "field number out of range"],
  ])("refuses %s", (_what, document, reason) => {
    let refusal: unknown;
    try {
      parseKeysetDocument(document);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(KeysetError);
    expect((refusal as KeysetError).message).toContain(reason);
  });
});

function presentSummary(typeUrl: Uint8Array): Uint8Array {
  return concatBytes([presentField(2, Uint8Array.of(1)), presentField(3, presentField(2, presentField(1, typeUrl)))]);
}
