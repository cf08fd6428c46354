import { describe, expect, test } from "bun:test";
import { createAead } from "../../../src/tink/create-aead.ts";
import { parseEncryptedKeyset } from "../../../src/tink/encrypted-keyset.ts";
import { parseBinaryKeyset } from "../../../src/tink/keyset-binary.ts";
import { KeysetError } from "../../../src/tink/keyset-error.ts";
import { parseCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import { documentOf, utf8, verdictCases } from "./vectors.ts";

function refusalOf(act: () => unknown): { code: string; keyId?: number; field?: string } {
  try {
    act();
  } catch (error) {
    if (error instanceof KeysetError) return { code: error.code, ...error.details };
    throw error;
  }
  throw new Error("was not refused");
}

function refuseVerdictCase(name: string): ReturnType<typeof refusalOf> {
  const verdict = verdictCases.find((candidate) => candidate.name === name);
  if (verdict === undefined) throw new Error(`no case ${name}`);
  return refusalOf(() => {
    const document = documentOf(verdict);
    const enc = verdict.mode === "enc";
    createAead(enc ? parseBinaryKeyset(parseEncryptedKeyset(document).ciphertext) : parseCleartextKeyset(document));
  });
}

/** tink-go says "invalid keyset" to most of these. An operator has to be told what to mend. */
describe("a refused keyset names what is wrong with it", () => {
  test.each([
    ["utf8 BOM", { code: "keyset-malformed" }],
    ["trailing garbage", { code: "keyset-malformed" }],
    ["empty object", { code: "keyset-invalid" }],
    ["duplicate field same name", { code: "keyset-malformed", field: "primaryKeyId" }],
    ["duplicate field camel+snake", { code: "keyset-malformed", field: "primaryKeyId" }],
    ["unknown key field", { code: "keyset-malformed", field: "key[0].extra" }],
    ["id = 4294967296", { code: "keyset-malformed", field: "primaryKeyId" }],
    ['status = "enabled"', { code: "keyset-malformed", field: "key[0].status" }],
    ["status = 0", { code: "keyset-invalid", keyId: 1, field: "status" }],
    ["outputPrefixType = 5", { code: "keyset-invalid", keyId: 1, field: "outputPrefixType" }],
    ['keyMaterialType = "REMOTE"', { code: "key-invalid", keyId: 1, field: "keyData.keyMaterialType" }],
    ["b64 with newline inside", { code: "keyset-malformed", field: "key[0].keyData.value" }],
    ["missing keyData", { code: "keyset-invalid", keyId: 1, field: "keyData" }],
    ["primary 0, key 1", { code: "keyset-invalid", field: "primaryKeyId" }],
    ["primary destroyed", { code: "keyset-invalid", keyId: 1, field: "status" }],
    ["dup ids one disabled", { code: "keyset-invalid", keyId: 1, field: "keyId" }],
    ["bad AES size 24 non-primary ENABLED", { code: "key-unsupported", keyId: 2, field: "keyData.value" }],
    ["bad AES size 17 non-primary DISABLED", { code: "key-invalid", keyId: 2, field: "keyData.value.keyValue" }],
    ["unknown type url non-primary ENABLED", { code: "key-unsupported", keyId: 2, field: "keyData.typeUrl" }],
    ["garbage proto non-primary DISABLED", { code: "key-invalid", keyId: 2, field: "keyData.value" }],
    ["XAesGcm salt 13", { code: "key-invalid", keyId: 1, field: "keyData.value.params.saltSize" }],
    ["CtrHmac hash enum 6", { code: "key-invalid", keyId: 1, field: "keyData.value.hmacKey.params.hash" }],
    ["CtrHmac sha256 tag 9", { code: "key-invalid", keyId: 1, field: "keyData.value.hmacKey.params.tagSize" }],
    ["enc: keysetInfo unknown field", { code: "keyset-malformed", field: "keysetInfo.foo" }],
    ["enc: keysetInfo bad enum name", { code: "keyset-malformed", field: "keysetInfo.keyInfo[0].status" }],
    ["enc: garbage plaintext", { code: "keyset-malformed" }],
    ["enc: invalid utf8 in type_url", { code: "keyset-malformed" }],
    ["clear: encrypted keyset given to cleartext reader", { code: "keyset-wrong-kind" }],
  ] as const)("%s", (name, expected) => {
    expect(refuseVerdictCase(name)).toEqual(expected);
  });

  test("a cleartext keyset where an encrypted one belongs", () => {
    const clear = documentOf(verdictCases[0] ?? { name: "", mode: "clear", ok: true });
    expect(refusalOf(() => parseEncryptedKeyset(clear)).code).toBe("keyset-wrong-kind");
  });

  test.each([
    ["four line breaks, which Go's decoder would take", "R0lG\\n\\n\\n\\nR0lG"],
    ["both alphabets in one value", "+_+_"],
    ["padding inside", "AA==AA=="],
    ["one character too many", "AAAAA"],
  ])("base64 with %s", (_, value) => {
    const document = utf8(`{"encryptedKeyset":"${value}"}`);
    expect(refusalOf(() => parseEncryptedKeyset(document))).toEqual({
      code: "keyset-malformed",
      field: "encryptedKeyset",
    });
  });

  test.each([
    ["deep nesting", `{"key":${"[".repeat(100_000)}`],
    ["a long string without an end", `{"encryptedKeyset":"${"A".repeat(1_000_000)}`],
    ["a control character in a string", '{"encryptedKeyset":"\u0001"}'],
    ["an escape that is none", String.raw`{"encryptedKeyset":"\x41"}`],
    ["half a surrogate pair", String.raw`{"keysetInfo":{"keyInfo":[{"typeUrl":"\ud800"}]}}`],
    ["two documents", "{}{}"],
    ["an exponent nobody can hold", '{"primaryKeyId":1e999999999999}'],
  ])("%s", (_, text) => {
    expect(refusalOf(() => parseEncryptedKeyset(utf8(text))).code).toMatch(/^keyset-(malformed|wrong-kind)$/);
  });

  test("a value of 65,536 bytes is read", () => {
    expect(parseEncryptedKeyset(utf8(`{"encryptedKeyset":"${"A".repeat(65_536)}"}`)).ciphertext.length).toBe(49_152);
  });
});

// A keyset's values are keys, and a field's name is whatever someone pasted: a refusal repeats neither.
test("no refusal shows a value of the document, nor a name that is no field's", () => {
  const canary = "Q0FOQVJZQ0FOQVJZQ0FOQVJZ";
  const documents = [
    `{"primaryKeyId":"${canary}"}`,
    `{"key":[{"status":"${canary}"}]}`,
    `{"key":[{"keyData":{"value":"${canary}!"}}]}`,
    `{"primaryKeyId":1,"key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey","value":"${canary}","keyMaterialType":1},"status":1,"keyId":1,"outputPrefixType":1}]}`,
    `{"${canary}":1}`,
    canary,
    `{"a":"${canary}`,
  ];
  const refusals = documents.flatMap((document) =>
    [parseCleartextKeyset, parseEncryptedKeyset].map((parse) => {
      try {
        parse(utf8(document));
        return "not refused";
      } catch (error) {
        return `${String(error)} ${JSON.stringify(error)}`;
      }
    }),
  );
  expect(refusals.length).toBe(14);
  expect(refusals.filter((refusal) => refusal === "not refused" || refusal.includes(canary))).toEqual([]);
});
