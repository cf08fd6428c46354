import { describe, expect, test } from "bun:test";
import type { RandomBytes } from "../../../src/lib/random.ts";
import { createAead } from "../../../src/tink/create-aead.ts";
import * as edit from "../../../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate, KEY_TEMPLATES, keyTypeName } from "../../../src/tink/key-templates.ts";
import { parseBinaryKeyset, writeKeysetBinary } from "../../../src/tink/keyset-binary.ts";
import { KeysetError } from "../../../src/tink/keyset-error.ts";
import { parseCleartextKeyset, writeCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import { wipeKeyset, type Keyset } from "../../../src/tink/keyset.ts";
import { readVectorBytes, utf8 } from "./vectors.ts";

/** Bytes that count up from 1: keys and ids that a test can name. */
function countingRandom(): RandomBytes {
  let next = 0;
  return (size) => Uint8Array.from({ length: size }, () => (next = (next % 251) + 1));
}

const aes256 = findTemplate(DEFAULT_TEMPLATE);
const KEY_START = "0102030405060708090a0b0c0d0e0f10";
const plaintext = utf8("text");
const data = utf8("data");

function twoKeys(): { keyset: Keyset; primary: number; other: number } {
  const random = countingRandom();
  const first = edit.createKeyset(aes256, random);
  const { keyset, keyId } = edit.addKey(first, aes256, random);
  return { keyset, primary: first.primaryKeyId, other: keyId };
}

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof KeysetError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("editing a keyset", () => {
  test("an added key opens and does not seal until it is promoted", () => {
    const { keyset, primary, other } = twoKeys();
    const before = createAead({ ...keyset, keys: keyset.keys.slice(0, 1) });
    expect(keyset.keys.map(({ keyId }) => keyId)).toEqual([primary, other]);
    expect(before.open(createAead(keyset).seal(plaintext, data), data)).toEqual(plaintext);
    const promoted = createAead(edit.promoteKey(keyset, other));
    expect(before.open(promoted.seal(plaintext, data), data)).toBeUndefined();
    expect(promoted.open(before.seal(plaintext, data), data)).toEqual(plaintext);
  });

  test("a disabled key opens nothing, and opens again when enabled", () => {
    const { keyset, primary, other } = twoKeys();
    const sealed = createAead(keyset).seal(plaintext, data);
    const disabled = edit.disableKey(edit.promoteKey(keyset, other), primary);
    expect(createAead(disabled).open(sealed, data)).toBeUndefined();
    expect(createAead(edit.enableKey(disabled, primary)).open(sealed, data)).toEqual(plaintext);
  });

  test("a destroyed key keeps its id and loses its bytes, and both formats stay readable", () => {
    const { keyset, other } = twoKeys();
    const destroyed = edit.destroyKey(keyset, other);
    expect(destroyed.keys.map(({ keyId, status, keyData }) => [keyId, status, keyData.value.length])).toEqual([
      [keyset.primaryKeyId, "ENABLED", 34],
      [other, "DESTROYED", 0],
    ]);
    expect(parseBinaryKeyset(writeKeysetBinary(destroyed))).toEqual(destroyed);
    expect(parseCleartextKeyset(utf8(writeCleartextKeyset(destroyed))).keys[1]?.status).toBe("DESTROYED");
  });

  test("an id is never 0 and never one that is taken", () => {
    const ids = [0, 7, 7, 0, 9];
    const random: RandomBytes = (size) =>
      size === 4 ? Uint8Array.of(0, 0, 0, ids.shift() ?? 1) : new Uint8Array(size);
    const first = edit.createKeyset(aes256, random);
    expect([first.primaryKeyId, edit.addKey(first, aes256, random).keyId]).toEqual([7, 9]);
  });

  test("doing what is done already changes nothing", () => {
    const { keyset, primary, other } = twoKeys();
    expect(edit.enableKey(keyset, other)).toEqual(keyset);
    expect(edit.promoteKey(keyset, primary)).toEqual(keyset);
    const disabled = edit.disableKey(keyset, other);
    expect(edit.disableKey(disabled, other)).toEqual(disabled);
  });
});

describe("an edit is refused", () => {
  const { keyset, primary, other } = twoKeys();
  const destroyed = edit.destroyKey(keyset, other);
  test.each([
    ["promoting a disabled key", () => edit.promoteKey(edit.disableKey(keyset, other), other), "key-not-enabled"],
    ["promoting a destroyed key", () => edit.promoteKey(destroyed, other), "key-not-enabled"],
    ["enabling a destroyed key", () => edit.enableKey(destroyed, other), "key-destroyed"],
    ["disabling a destroyed key", () => edit.disableKey(destroyed, other), "key-destroyed"],
    ["disabling the primary key", () => edit.disableKey(keyset, primary), "key-is-primary"],
    ["deleting the primary key", () => edit.deleteKey(keyset, primary), "key-is-primary"],
    ["destroying the primary key", () => edit.destroyKey(keyset, primary), "key-is-primary"],
    ["promoting an unknown id", () => edit.promoteKey(keyset, 1), "key-not-found"],
    ["enabling an unknown id", () => edit.enableKey(keyset, 1), "key-not-found"],
    ["deleting an unknown id", () => edit.deleteKey(keyset, 1), "key-not-found"],
  ] as const)("%s", (_, act, code) => {
    expect(codeOf(act)).toBe(code);
  });

  // A keyset may carry what the service does not know as long as it is disabled.
  test("enabling a key of a type that cannot be used", () => {
    const keyData = {
      typeUrl: "type.googleapis.com/google.crypto.tink.AesEaxKey",
      value: utf8("x"),
      keyMaterialType: 1,
    };
    const foreign: Keyset = {
      ...keyset,
      keys: [...keyset.keys, { keyId: 5, status: "DISABLED", outputPrefix: "TINK", keyData }],
    };
    expect(codeOf(() => edit.enableKey(foreign, 5))).toBe("key-unsupported");
  });
});

test.each(KEY_TEMPLATES.map((template) => [template.name, template] as const))(
  "template %s makes a key that reads back as its type",
  (name, template) => {
    const keyset = parseBinaryKeyset(writeKeysetBinary(edit.createKeyset(template, countingRandom())));
    const key = keyset.keys[0];
    const type = name.replace(/_(RAW|NO_PREFIX)$/, "").replace("X_AES_GCM_8_BYTE_SALT", "XAES_256_GCM_160_BIT_NONCE");
    expect(key && keyTypeName(key)).toBe(type);
    expect(key?.outputPrefix).toBe(/_(RAW|NO_PREFIX)$/.test(name) ? "RAW" : "TINK");
    const aead = createAead(keyset);
    expect(aead.open(aead.seal(plaintext, data), data)).toEqual(plaintext);
  },
);

test("keyTypeName() of a destroyed key is NONE", () => {
  const { keyset, other } = twoKeys();
  expect(edit.destroyKey(keyset, other).keys.map((key) => keyTypeName(key))).toEqual(["AES256_GCM", "NONE"]);
});

// The AEAD has to survive the wiping, and the bytes that KMS gave have to go.
test.each(KEY_TEMPLATES.map((template) => [template.name, template] as const))(
  "wipeKeyset() empties what %s was parsed from, and the aead works on",
  (_, template) => {
    const binary = writeKeysetBinary(edit.createKeyset(template, countingRandom()));
    const keyset = parseBinaryKeyset(binary);
    const aead = createAead(keyset);
    const sealed = aead.seal(plaintext, data);
    wipeKeyset(keyset);
    expect(aead.open(sealed, data)).toEqual(plaintext);
    expect(aead.open(aead.seal(plaintext, data), data)).toEqual(plaintext);
    const value = keyset.keys[0]?.keyData.value ?? new Uint8Array();
    expect(value.some((byte) => byte !== 0)).toBe(false);
    // The first key of a counting generator, up to its sixteenth byte.
    expect(writeKeysetBinary(edit.createKeyset(template, countingRandom())).toHex()).toContain(KEY_START);
    expect(binary.toHex()).not.toContain(KEY_START);
  },
);

test("forty AES256_GCM keys fit KMS's 4,096 bytes and forty-one do not", () => {
  let keyset = edit.createKeyset(aes256, () => Uint8Array.of(255, 255, 255, 255));
  const sizes: number[] = [];
  for (let id = 1; id <= 41; id++) {
    sizes.push(writeKeysetBinary(keyset).length);
    keyset = edit.addKey(keyset, aes256, (size) => new Uint8Array(size).fill(255 - id)).keyset;
  }
  expect(sizes.at(39)).toBeLessThanOrEqual(4096);
  expect(sizes.at(40)).toBeGreaterThan(4096);
});

test("a keyset that tinkey left with a destroyed key can be edited on", () => {
  const document: { encryptedKeyset: string } = JSON.parse(
    new TextDecoder().decode(readVectorBytes("tink/tinkey-samples/e5.json")),
  );
  const keyset = parseBinaryKeyset(Uint8Array.fromBase64(document.encryptedKeyset));
  const { keyset: added } = edit.addKey(keyset, aes256, countingRandom());
  expect(parseBinaryKeyset(writeKeysetBinary(added)).keys.map(({ status }) => status)).toEqual([
    "DESTROYED",
    "ENABLED",
    "ENABLED",
  ]);
});
