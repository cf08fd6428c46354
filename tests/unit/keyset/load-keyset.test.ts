import { describe, expect, test } from "bun:test";
import { describeCauses } from "../../../src/lib/bridge-error.ts";
import { listStoredKeyset } from "../../../src/keyset/edit-stored-key.ts";
import { loadKeyset } from "../../../src/keyset/load-keyset.ts";
import { writeCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import { disableKey } from "../../../src/tink/edit-keyset.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import {
  createMemoryKms,
  createMemorySecrets,
  KMS_KEY_ARN,
  OTHER_KMS_KEY_ARN,
  refused,
  unavailable,
} from "../../support/memory-keyset-parts.ts";
import { createKeysetWorld, createStore, failureOf, keysetOf, SECRET, sealedDocument } from "./world.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test("loadKeyset() gives an aead and a summary without secrets", async () => {
  const keyset = disableKeyOf(keysetOf(2));
  const { store } = await createKeysetWorld(keyset);
  const loaded = await loadKeyset(store);
  expect(loaded.aead.open(loaded.aead.seal(utf8("a"), utf8("b")), utf8("b"))).toEqual(utf8("a"));
  expect(loaded.summary).toEqual({
    primaryKeyId: keyset.primaryKeyId,
    keys: [
      { keyId: keyset.primaryKeyId, status: "ENABLED", type: "AES256_GCM", outputPrefix: "TINK", primary: true },
      {
        keyId: keyset.keys[1]?.keyId ?? 0,
        status: "DISABLED",
        type: "AES256_GCM",
        outputPrefix: "TINK",
        primary: false,
      },
    ],
  });
});

test("loadKeyset() wipes what KMS decrypted, whether it loads or not", async () => {
  const { kms, store } = await createKeysetWorld(keysetOf(2));
  await loadKeyset(store);
  const garbage = await createKeysetWorld(undefined);
  const document = JSON.stringify({
    encryptedKeyset: Buffer.from(await garbage.kms.encrypt(KMS_KEY_ARN, utf8("no keyset"))).toString("base64"),
  });
  garbage.secrets.secrets.get(SECRET)?.versions.set("v", { value: document, createdAtEpochMs: 0 });
  garbage.secrets.secrets.get(SECRET)?.stages.set("AWSCURRENT", "v");
  expect((await failureOf(loadKeyset(garbage.store))).step).toBe("keyset");
  const givenOut = [...kms.givenOut, ...garbage.kms.givenOut];
  expect(givenOut.length).toBe(2);
  expect(givenOut.every((plaintext) => plaintext.every((byte) => byte === 0))).toBe(true);
});

describe("loadKeyset() names the step that failed", () => {
  const cases: readonly [name: string, value: string | undefined, code: string, step: string][] = [
    ["a secret without a value", undefined, "keyset-absent", "secret"],
    ["an empty secret", " \n", "keyset-absent", "secret"],
    ["a secret that holds something else", '{"password":"hunter2"}', "keyset-refused", "secret"],
    [
      "a cleartext keyset where an encrypted one belongs",
      writeCleartextKeyset(keysetOf(1)),
      "keyset-refused",
      "secret",
    ],
    ["an empty ciphertext", '{"encryptedKeyset":""}', "keyset-unavailable", "kms"],
    ["a corrupt ciphertext", '{"encryptedKeyset":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}', "keyset-unavailable", "kms"],
  ];
  test.each(cases)("%s", async (_, value, code, step) => {
    const { store } = await createKeysetWorld(value);
    expect(await failureOf(loadKeyset(store))).toMatchObject({ code, step });
  });

  test("a keyset under another KMS key", async () => {
    const { kms, secrets } = await createKeysetWorld(keysetOf(1));
    const failure = await failureOf(loadKeyset(createStore({ kms, secrets }, SECRET, OTHER_KMS_KEY_ARN)));
    expect(failure).toEqual({
      code: "keyset-unavailable",
      step: "kms",
      message: `keyset, step kms: decrypting under ${OTHER_KMS_KEY_ARN}`,
    });
  });

  test.each([unavailable("kms"), refused("kms", "AccessDeniedException"), refused("kms", "ThrottlingException")])(
    "KMS: %s",
    async (fault) => {
      const { kms, store } = await createKeysetWorld(keysetOf(1));
      kms.failWith = fault;
      expect(await failureOf(loadKeyset(store))).toMatchObject({ code: "keyset-unavailable", step: "kms" });
    },
  );

  test("Secrets Manager without an answer, with the reason as the cause", async () => {
    const { secrets, store } = await createKeysetWorld(keysetOf(1));
    secrets.failWith = unavailable("secrets-manager");
    const error: unknown = await loadKeyset(store).catch((caught: unknown) => caught);
    expect(describeCauses(error)).toBe(
      `keyset, step secret: reading ${SECRET}: secrets-manager: no complete reply in time`,
    );
  });

  test("an enabled key that cannot be used, by id and field", async () => {
    const keyset = keysetOf(1);
    const keyData = {
      typeUrl: "type.googleapis.com/google.crypto.tink.AesEaxKey",
      value: utf8("x"),
      keyMaterialType: 1,
    };
    const foreign = { keyId: 77, status: "ENABLED", outputPrefix: "TINK", keyData } as const;
    const { store } = await createKeysetWorld({ ...keyset, keys: [...keyset.keys, foreign] });
    const error: unknown = await loadKeyset(store).catch((caught: unknown) => caught);
    expect(describeCauses(error)).toContain("keyset: key 77, keyData.typeUrl: an enabled key has a type");
  });
});

// The secret is created with a leading slash, and a URI loses it. AWS authorizes before it looks: a policy that allows the one name
// answers "denied" to the other, whether that exists or not.
describe("the secret's name is found in both spellings", () => {
  const withoutSlash = SECRET.slice(1);
  const isAllowed = (id: string): boolean => id === SECRET || id.startsWith("arn:");

  test.each([
    ["not found under the name as written", () => true],
    ["denied under the name as written", isAllowed],
  ] as const)("%s", async (_, allowed) => {
    const kms = createMemoryKms();
    const value = await sealedDocument(kms, keysetOf(1));
    const secrets = createMemorySecrets({ [SECRET]: value }, { ...createFixedClock(), allowed });
    const store = createStore({ kms, secrets }, withoutSlash);
    await loadKeyset(store);
    await loadKeyset(store);
    const arn = secrets.secrets.get(SECRET)?.arn ?? "";
    expect(secrets.reads).toEqual([withoutSlash, SECRET, arn]);
  });

  test("the name as written comes first", async () => {
    const kms = createMemoryKms();
    const [own, other] = [keysetOf(1), keysetOf(1)];
    const initial = { [withoutSlash]: await sealedDocument(kms, own), [SECRET]: await sealedDocument(kms, other) };
    const secrets = createMemorySecrets(initial, createFixedClock());
    const loaded = await loadKeyset(createStore({ kms, secrets }, withoutSlash));
    expect(loaded.summary.primaryKeyId).toBe(own.primaryKeyId);
  });

  test("when both fail the message tells both", async () => {
    const secrets = createMemorySecrets({}, { ...createFixedClock(), allowed: isAllowed });
    const failure = await failureOf(loadKeyset(createStore({ kms: createMemoryKms(), secrets }, withoutSlash)));
    expect(failure.message).toBe(`keyset, step secret: ${withoutSlash}: access denied; ${SECRET}: not found`);
  });

  test.each([SECRET, "arn:aws:secretsmanager:us-east-1:123456789012:secret:x-AbCdEf"])("%s has one", async (id) => {
    const secrets = createMemorySecrets({}, createFixedClock());
    const failure = await failureOf(loadKeyset(createStore({ kms: createMemoryKms(), secrets }, id)));
    expect(failure.message).toBe(`keyset, step secret: ${id}: not found`);
    expect(secrets.reads).toEqual([id]);
  });

  // Otherwise an outage would be taken for a wrong name.
  test("no answer ends the search", async () => {
    const secrets = createMemorySecrets({}, createFixedClock());
    secrets.failWith = unavailable("secrets-manager");
    await failureOf(loadKeyset(createStore({ kms: createMemoryKms(), secrets }, withoutSlash)));
    expect(secrets.reads).toEqual([withoutSlash]);
  });
});

test("listStoredKeyset() tells when the readable summary is not that of the keyset", async () => {
  const keyset = keysetOf(2);
  const world = await createKeysetWorld(keyset);
  expect(await listStoredKeyset(world.tools)).toMatchObject({ summaryAgrees: true, versionId: "first" });
  const edited = (await sealedDocument(world.kms, keyset)).replace('"ENABLED"', '"DISABLED"');
  expect(await listStoredKeyset((await createKeysetWorld(edited)).tools)).toMatchObject({ summaryAgrees: false });
});

// The canary: key bytes in any of the forms in which they could be printed.
test("no failure shows a key byte", async () => {
  const keyset = keysetOf(1);
  const value = keyset.keys[0]?.keyData.value ?? new Uint8Array();
  const forms = [value.slice(2).toHex(), Buffer.from(value).toString("base64"), value.slice(2, 12).join(",")];
  const worlds = [
    await createKeysetWorld(writeCleartextKeyset(keyset)),
    await createKeysetWorld({ ...keyset, primaryKeyId: 1 }),
    await createKeysetWorld({ ...keyset, keys: [...keyset.keys, ...keyset.keys] }),
  ];
  for (const { store } of worlds) {
    const error: unknown = await loadKeyset(store).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Error);
    const shown = Bun.inspect(error, { depth: 10 }) + JSON.stringify(error) + describeCauses(error);
    expect(forms.filter((form) => shown.includes(form))).toEqual([]);
  }
});

function disableKeyOf(keyset: ReturnType<typeof keysetOf>): ReturnType<typeof keysetOf> {
  return disableKey(keyset, keyset.keys[1]?.keyId ?? 0);
}
