import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { systemRandom } from "../../src/lib/random.ts";
import { createAead } from "../../src/tink/create-aead.ts";
import { addKey, createKeyset, promoteKey } from "../../src/tink/edit-keyset.ts";
import { parseBinaryEncryptedKeyset } from "../../src/tink/encrypted-keyset-binary.ts";
import { parseEncryptedKeyset, writeEncryptedKeyset } from "../../src/tink/encrypted-keyset.ts";
import { findTemplate, keyTypeName } from "../../src/tink/key-templates.ts";
import { parseBinaryKeyset, writeKeysetBinary } from "../../src/tink/keyset-binary.ts";
import { parseCleartextKeyset, writeCleartextKeyset } from "../../src/tink/keyset-json.ts";
import { KeysetError } from "../../src/tink/keyset-error.ts";
import type { Keyset } from "../../src/tink/keyset.ts";
import { bytesField, concatBytes, presentField, varintField } from "../../src/tink/wire-writer.ts";
import { createOneKeyKeysets } from "../support/interop-keysets.ts";
import {
  createDice,
  createHistory,
  createMutatedKeysets,
  mutateBytes,
  type MutatedKeyset,
} from "../support/mutated-keysets.ts";
import { buildTinkGo, type KeysetKind, type TinkGo, type TinkGoRequest } from "../support/tink-go.ts";
import { documentOf, utf8, verdictCases } from "../unit/tink/vectors.ts";

let tinkGo: TinkGo;
beforeAll(async () => {
  tinkGo = await buildTinkGo();
}, 300_000);
afterAll(async () => await tinkGo[Symbol.asyncDispose]());

/** Those for which tests/interop/tink-go has a constructor. */
const TINK_GO_TEMPLATES = (
  "AES128_GCM AES256_GCM AES256_GCM_RAW AES128_GCM_SIV AES256_GCM_SIV AES256_GCM_SIV_RAW " +
  "AES128_CTR_HMAC_SHA256 AES256_CTR_HMAC_SHA256 CHACHA20_POLY1305 XCHACHA20_POLY1305 " +
  "XAES_256_GCM_192_BIT_NONCE XAES_256_GCM_192_BIT_NONCE_NO_PREFIX"
).split(" ");
const plaintext = systemRandom(600);
const associatedData = utf8("default-profile:v1:111:222:profile://organization/acme/pipeline/p/profile/default");

function everyForm(keyset: Keyset): { kind: KeysetKind; keyset: Uint8Array }[] {
  const binary = writeKeysetBinary(keyset);
  return [
    { kind: "json", keyset: utf8(writeCleartextKeyset(keyset)) },
    { kind: "binary", keyset: binary },
    { kind: "encrypted", keyset: utf8(writeEncryptedKeyset(binary, keyset)) },
  ];
}

function openRequest({ kind, keyset }: MutatedKeyset, ciphertext: Uint8Array): TinkGoRequest {
  return { do: "open", kind, keyset, ciphertext, associatedData };
}

function read({ kind, keyset }: { kind: KeysetKind; keyset: Uint8Array }): Keyset {
  if (kind === "json") return parseCleartextKeyset(keyset);
  if (kind === "encrypted-binary") return parseBinaryKeyset(parseBinaryEncryptedKeyset(keyset).ciphertext);
  return parseBinaryKeyset(kind === "binary" ? keyset : parseEncryptedKeyset(keyset).ciphertext);
}

describe("with tink-go, in both directions", () => {
  test.each(createOneKeyKeysets(systemRandom))("%s: keyset in three forms, ciphertexts", async (_, keyset) => {
    const aead = createAead(keyset);
    const ciphertext = aead.seal(plaintext, associatedData);
    const forms = everyForm(keyset);
    const opened = await tinkGo(forms.map((form) => openRequest(form, ciphertext)));
    expect(opened).toEqual(forms.map(() => ({ ok: true, bytes: plaintext })));
    for (const sealed of await tinkGo(forms.map((form) => ({ do: "seal", ...form, plaintext, associatedData })))) {
      expect(sealed.ok && aead.open(sealed.bytes, associatedData)).toEqual(plaintext);
    }
    const [forged] = await tinkGo([{ do: "open", ...forms[0]!, ciphertext, associatedData: utf8("another") }]);
    expect(forged).toEqual({ ok: false, stage: "open" });
  });

  test("keysets with a history: several types, disabled and destroyed keys", async () => {
    const dice = createDice(1);
    const keysets = Array.from({ length: 200 }, () => createHistory(dice));
    const requests = keysets.flatMap((keyset) =>
      everyForm(keyset).map((form) => openRequest(form, createAead(keyset).seal(plaintext, associatedData))),
    );
    const answers = await tinkGo(requests);
    expect(answers.filter((answer) => !answer.ok || !Buffer.from(answer.bytes).equals(plaintext))).toEqual([]);
    expect(answers.length).toBe(600);
  });

  test("two RAW keys, the second of which sealed", async () => {
    const raw = findTemplate("AES256_GCM_RAW");
    const { keyset, keyId } = addKey(createKeyset(raw, systemRandom), raw, systemRandom);
    const old = everyForm(keyset)[1]!;
    const ciphertext = createAead(promoteKey(keyset, keyId)).seal(plaintext, associatedData);
    expect(createAead(keyset).open(ciphertext, associatedData)).toEqual(plaintext);
    const [opened] = await tinkGo([openRequest(old, ciphertext)]);
    expect(opened).toEqual({ ok: true, bytes: plaintext });
  });

  test.each(TINK_GO_TEMPLATES)(
    "tink-go's own keyset %s is read, and tink-go reads it as we write it",
    async (template) => {
      for (const kind of ["json", "binary", "encrypted", "encrypted-binary"] as const) {
        const [created] = await tinkGo([{ do: "create", template, writeAs: kind }]);
        if (created === undefined || !created.ok) throw new Error("tink-go made no keyset");
        const keyset = read({ kind, keyset: created.bytes });
        expect(template.replace(/_(RAW|NO_PREFIX)$/, "")).toBe(keyset.keys.map(keyTypeName).join());
        const ciphertext = createAead(keyset).seal(plaintext, associatedData);
        const readBack = await tinkGo(everyForm(keyset).map((form) => openRequest(form, ciphertext)));
        expect(readBack.every((answer) => answer.ok)).toBe(true);
      }
    },
  );
});

function ourVerdict(document: MutatedKeyset): string {
  let keyset: Keyset;
  try {
    keyset = read(document);
  } catch (error) {
    if (error instanceof KeysetError) return "read";
    throw error;
  }
  try {
    createAead(keyset);
    return "ok";
  } catch (error) {
    if (error instanceof KeysetError) return "aead.New";
    throw error;
  }
}

/** Documented in `parseCleartextKeyset`: we refuse what of protobuf-go's leniency is an accident. */
function isKnownLeniency({ keyset }: MutatedKeyset): boolean {
  const text = new TextDecoder().decode(keyset);
  const baseWithLineBreaks = /"[^"]*\\[nr][^"]*"/;
  const textBehindNumber = /:"\d+[ ,][^"]*"/;
  const emptyExponent = /\d[eE][+-]?[,}\s]/;
  return [baseWithLineBreaks, textBehindNumber, emptyExponent].some((pattern) => pattern.test(text));
}

describe("our verdict is tink-go's", () => {
  test.each([1, 2, 3])(
    "on 5,000 keysets with something wrong, seed %p",
    async (seed) => {
      const documents = createMutatedKeysets(5_000, seed);
      const answers = await tinkGo(documents.map((document) => ({ do: "check", ...document })));
      const theirs = answers.map((answer) => (answer.ok ? "ok" : answer.stage));
      const differing = documents.filter((document, index) => ourVerdict(document) !== theirs[index]);
      expect(
        differing.filter((document) => !isKnownLeniency(document)).map(({ keyset }) => Buffer.from(keyset).toString()),
      ).toEqual([]);
      // Never the other way round: what tink-go refuses must not pass here.
      const laxer = documents.filter((document, index) => ourVerdict(document) === "ok" && theirs[index] !== "ok");
      expect(laxer).toEqual([]);
      expect(new Set(theirs)).toEqual(new Set(["ok", "read", "aead.New"]));
    },
    120_000,
  );

  test("on 5,000 encrypted keysets in binary with bytes changed, cut or put in", async () => {
    const dice = createDice(4);
    const documents = Array.from({ length: 5_000 }, () => {
      const keyset = createHistory(dice);
      const summary = concatBytes(
        keyset.keys.map(({ keyId, keyData }) =>
          presentField(
            2,
            concatBytes([bytesField(1, utf8(keyData.typeUrl)), varintField(2, 1), varintField(3, keyId)]),
          ),
        ),
      );
      const document = concatBytes([presentField(2, writeKeysetBinary(keyset)), presentField(3, summary)]);
      return { kind: "encrypted-binary", keyset: mutateBytes(document, dice) } as const;
    });
    const answers = await tinkGo(documents.map((document) => ({ do: "check", ...document })));
    const theirs = answers.map((answer) => (answer.ok ? "ok" : answer.stage));
    expect(documents.filter((document, index) => ourVerdict(document) !== theirs[index])).toEqual([]);
    expect(new Set(theirs)).toEqual(new Set(["ok", "read", "aead.New"]));
  }, 60_000);

  test("on the recorded documents, which were judged by an earlier version", async () => {
    const documents = verdictCases.map((verdict) => ({
      kind: verdict.mode === "enc" ? ("encrypted" as const) : ("json" as const),
      keyset: documentOf(verdict),
    }));
    const answers = await tinkGo(documents.map((document) => ({ do: "check", ...document })));
    const differing = verdictCases.filter((_, index) => {
      const answer = answers[index]!;
      return (answer.ok ? "ok" : answer.stage) !== ourVerdict(documents[index]!);
    });
    expect(differing.map(({ name }) => name)).toEqual([]);
  });
});
