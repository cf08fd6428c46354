import { describe, expect, test } from "bun:test";
import { addStoredKey, editStoredKey, listStoredKeyset } from "../../../src/keyset/edit-stored-key.ts";
import { loadKeyset } from "../../../src/keyset/load-keyset.ts";
import { convertKeyset, createStoredKeyset, importKeyset } from "../../../src/keyset/put-keyset.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { writeKeysetBinary } from "../../../src/tink/keyset-binary.ts";
import { KeysetError } from "../../../src/tink/keyset-error.ts";
import { writeCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";
import { presentField } from "../../../src/tink/wire-writer.ts";
import { KMS_KEY_ARN, OTHER_KMS_KEY_ARN, refused, unavailable } from "../../support/memory-keyset-parts.ts";
import {
  aes256,
  createKeysetWorld,
  createStore,
  currentValue,
  failureOf,
  keysetOf,
  SECRET,
  sealedDocument,
  type KeysetWorld,
} from "./world.ts";

const add = { template: aes256, random: systemRandom, dryRun: false };
const put = { ...add, replace: false };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function secondId(keyset: Keyset): number {
  return keyset.keys[1]?.keyId ?? 0;
}

describe("a change", () => {
  test("is stored under AWSCURRENT, and what was there stays as AWSPREVIOUS", async () => {
    const keyset = keysetOf(1);
    const world = await createKeysetWorld(keyset);
    const change = await addStoredKey(world.tools, add);
    expect(change.written).toBe(true);
    expect(change.before.keys.length).toBe(1);
    expect(change.after.keys.map(({ keyId }) => keyId)).toEqual([keyset.primaryKeyId, change.result.keyId]);
    expect((await loadKeyset(createStore(world))).summary).toEqual(change.after);
    expect(world.secrets.secrets.get(SECRET)?.stages.get("AWSPREVIOUS")).toBe("first");
  });

  test("changes nothing in a dry run, and tells what it would", async () => {
    const keyset = keysetOf(2);
    const world = await createKeysetWorld(keyset);
    const before = currentValue(world);
    const change = await editStoredKey(world.tools, "delete", secondId(keyset), { dryRun: true });
    expect(change).toMatchObject({ written: false, before: { keys: [{}, {}] }, after: { keys: [{}] } });
    expect(change.after.keys.length).toBe(1);
    expect(currentValue(world)).toBe(before);
    expect(world.secrets.secrets.get(SECRET)?.versions.size).toBe(1);
  });

  test.each([
    ["promote", "primary", true],
    ["disable", "DISABLED", false],
    ["destroy", "DESTROYED", false],
  ] as const)("%s gives %s", async (edit, outcome, primary) => {
    const keyset = keysetOf(2);
    const world = await createKeysetWorld(keyset);
    const { after } = await editStoredKey(world.tools, edit, secondId(keyset), { dryRun: false });
    expect(after.keys[1]).toMatchObject(primary ? { primary: true } : { status: outcome });
    expect((await listStoredKeyset(world.tools)).summary).toEqual(after);
  });

  test("that changes nothing makes no new version", async () => {
    const keyset = keysetOf(2);
    const world = await createKeysetWorld(keyset);
    const change = await editStoredKey(world.tools, "enable", secondId(keyset), { dryRun: false });
    expect(change.written).toBe(false);
    expect(world.secrets.secrets.get(SECRET)?.versions.size).toBe(1);
  });

  test("that the keyset does not allow leaves everything as it was", async () => {
    const keyset = keysetOf(2);
    const world = await createKeysetWorld(keyset);
    const change = editStoredKey(world.tools, "disable", keyset.primaryKeyId, { dryRun: false });
    const error: unknown = await change.catch((caught: unknown) => caught);
    expect(error instanceof KeysetError ? error.code : error).toBe("key-is-primary");
    expect(world.secrets.secrets.get(SECRET)?.versions.size).toBe(1);
  });

  test("over KMS's 4,096 bytes is refused before anything is encrypted or written", async () => {
    const world = await createKeysetWorld(keysetOf(40));
    world.kms.encrypt = async () => {
      throw new Error("must not be called");
    };
    const failure = await failureOf(addStoredKey(world.tools, add));
    expect(failure.code).toBe("keyset-too-large");
    expect(failure.message).toMatch(/would have 41\d\d bytes, KMS encrypts 4096/);
    expect((await failureOf(addStoredKey(world.tools, { ...add, dryRun: true }))).code).toBe("keyset-too-large");
  });

  test("wipes every key byte that KMS gave out", async () => {
    const world = await createKeysetWorld(keysetOf(3));
    await addStoredKey(world.tools, add);
    expect(world.kms.givenOut.length).toBe(2);
    expect(world.kms.givenOut.every((plaintext) => plaintext.every((byte) => byte === 0))).toBe(true);
  });
});

describe("a failure between the writes leaves what was there in force", () => {
  test.each(["before put", "after put", "before move"] as const)("%s", async (moment) => {
    const world = await createKeysetWorld(keysetOf(1));
    const before = currentValue(world);
    world.secrets.onWrite = (at) => {
      if (at === moment) throw unavailable("secrets-manager");
    };
    expect(await failureOf(addStoredKey(world.tools, add))).toMatchObject({
      code: "keyset-unavailable",
      step: "secret",
      message: expect.stringContaining("writing arn:aws:secretsmanager:"),
    });
    expect(currentValue(world)).toBe(before);
  });

  test("an answer that was lost after the move is no failure", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    world.secrets.onWrite = (at) => {
      if (at === "after move") throw unavailable("secrets-manager");
    };
    const change = await addStoredKey(world.tools, add);
    expect(change.written).toBe(true);
    expect((await loadKeyset(world.store)).summary).toEqual(change.after);
  });

  test("KMS refuses to encrypt", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    world.kms.encrypt = async () => {
      throw refused("kms", "AccessDeniedException");
    };
    expect(await failureOf(addStoredKey(world.tools, add))).toMatchObject({
      step: "kms",
      message: `keyset, step kms: encrypting under ${KMS_KEY_ARN}`,
    });
  });

  test("KMS encrypts what it cannot decrypt again", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const before = currentValue(world);
    const encrypt = world.kms.encrypt;
    world.kms.encrypt = async (arn) => await encrypt(arn, utf8("something else"));
    expect(await failureOf(addStoredKey(world.tools, add))).toMatchObject({ code: "keyset-refused", step: "kms" });
    expect(currentValue(world)).toBe(before);
  });
});

describe("two operators", () => {
  test("cannot lose each other's change", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    let others = 1;
    world.secrets.onWrite = async (at) => {
      if (at === "before move" && others-- > 0) await addStoredKey({ ...world.tools, store: createStore(world) }, add);
    };
    const change = addStoredKey(world.tools, add);
    await world.clock.advanceAndSettle(10_000);
    expect((await change).before.keys.length).toBe(2);
    expect((await change).after.keys.length).toBe(3);
    expect((await loadKeyset(createStore(world))).summary).toEqual((await change).after);
  });

  test("ten at once: every successful command's change is in the keyset", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const changes = Array.from({ length: 10 }, (_, index) =>
      addStoredKey({ ...world.tools, store: createStore(world), jitter: () => index / 10 }, add),
    );
    const all = Promise.all(changes);
    await world.clock.advanceAndSettle(60_000);
    const added = (await all).map(({ result }) => result.keyId);
    const { summary } = await loadKeyset(world.store);
    expect(new Set(summary.keys.slice(1).map(({ keyId }) => keyId))).toEqual(new Set(added));
    expect(added.length).toBe(10);
  });

  test("a change that never gets its turn fails, and says that nothing was written", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const store = { ...world.store, write: async () => "conflict" as const };
    const failure = failureOf(addStoredKey({ ...world.tools, store }, add));
    await world.clock.advanceAndSettle(60_000);
    expect(await failure).toMatchObject({ code: "keyset-conflict", step: "secret" });
  });
});

describe("createStoredKeyset()", () => {
  test.each([undefined, " "])("fills a secret that has %p as its value", async (value) => {
    const world = await createKeysetWorld(value);
    const report = await createStoredKeyset(world.tools, put);
    expect(report).toMatchObject({ written: true, replaced: false, after: { keys: [{ type: "AES256_GCM" }] } });
    expect((await loadKeyset(world.store)).summary).toEqual(report.after);
  });

  test("writes to the spelling of the name that exists", async () => {
    const world = await createKeysetWorld(undefined);
    const store = createStore(world, SECRET.slice(1));
    await createStoredKeyset({ ...world.tools, store }, put);
    expect((await loadKeyset(world.store)).summary.keys.length).toBe(1);
  });

  test("refuses to overwrite a keyset, even a broken one, unless told to", async () => {
    for (const value of [keysetOf(1), "broken"]) {
      const world = await createKeysetWorld(value);
      expect((await failureOf(createStoredKeyset(world.tools, put))).code).toBe("keyset-exists");
      expect(world.secrets.secrets.get(SECRET)?.versions.size).toBe(1);
      expect(await createStoredKeyset(world.tools, { ...put, replace: true })).toMatchObject({
        written: true,
        replaced: true,
      });
      await loadKeyset(world.store);
    }
  });

  test("does not overwrite what came in the meantime", async () => {
    const world = await createKeysetWorld(undefined);
    let others = 1;
    world.secrets.onWrite = async (at) => {
      if (at === "before move" && others-- > 0) {
        await createStoredKeyset({ ...world.tools, store: createStore(world) }, put);
      }
    };
    expect((await failureOf(createStoredKeyset(world.tools, put))).code).toBe("keyset-conflict");
  });

  test("writes nothing in a dry run", async () => {
    const world = await createKeysetWorld(undefined);
    expect(await createStoredKeyset(world.tools, { ...put, dryRun: true })).toMatchObject({ written: false });
    expect(currentValue(world)).toBeUndefined();
  });
});

describe("importKeyset()", () => {
  async function imported(
    document: string | Uint8Array,
    world: KeysetWorld,
  ): Promise<{ cleartext: boolean; keyIds: number[] }> {
    const kms = { unwrapper: world.kms, kmsKeyArn: KMS_KEY_ARN };
    const report = await importKeyset(world.tools, typeof document === "string" ? utf8(document) : document, kms, put);
    return { cleartext: report.cleartext, keyIds: report.after.keys.map(({ keyId }) => keyId) };
  }

  test("takes over a cleartext keyset and says that it was one", async () => {
    const keyset = keysetOf(2);
    const world = await createKeysetWorld(undefined);
    const keyIds = keyset.keys.map(({ keyId }) => keyId);
    expect(await imported(writeCleartextKeyset(keyset), world)).toEqual({ cleartext: true, keyIds });
    expect((await loadKeyset(world.store)).summary.primaryKeyId).toBe(keyset.primaryKeyId);
  });

  test("takes over one that is encrypted under the same KMS key", async () => {
    const keyset = keysetOf(1);
    const world = await createKeysetWorld(undefined);
    expect(await imported(await sealedDocument(world.kms, keyset), world)).toMatchObject({ cleartext: false });
  });

  test("takes over both in binary, and wipes what it read in clear", async () => {
    const keyset = keysetOf(2);
    const keyIds = keyset.keys.map(({ keyId }) => keyId);
    const clear = writeKeysetBinary(keyset);
    const world = await createKeysetWorld(undefined);
    expect(await imported(clear, world)).toEqual({ cleartext: true, keyIds });
    for (const { keyData } of keyset.keys) expect(Buffer.from(clear).includes(keyData.value)).toBe(false);
    const encrypted = presentField(2, await world.kms.encrypt(KMS_KEY_ARN, writeKeysetBinary(keyset)));
    const another = await createKeysetWorld(undefined);
    expect(await imported(encrypted, another)).toEqual({ cleartext: false, keyIds });
    expect(another.kms.givenOut.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true);
  });

  test("refuses one under another KMS key, a broken one, and an encrypted one without a KMS key", async () => {
    const world = await createKeysetWorld(undefined);
    const foreign = await sealedDocument(world.kms, keysetOf(1), OTHER_KMS_KEY_ARN);
    expect(await failureOf(imported(foreign, world))).toMatchObject({ step: "kms" });
    expect(await failureOf(imported('{"key":[]}', world))).toMatchObject({ code: "keyset-refused", step: "file" });
    const withoutKms = importKeyset(world.tools, utf8(foreign), undefined, put);
    expect(await failureOf(withoutKms)).toMatchObject({ code: "keyset-refused", step: "kms" });
    expect(currentValue(world)).toBeUndefined();
  });
});

describe("convertKeyset()", () => {
  test("writes the same keyset under another KMS key, in whichever spelling the secret is named", async () => {
    const keyset = keysetOf(2);
    const world = await createKeysetWorld(keyset);
    const target = createStore(world, SECRET.slice(1), OTHER_KMS_KEY_ARN);
    expect(await convertKeyset(world.tools, target, { dryRun: false })).toMatchObject({ written: true });
    expect(await failureOf(loadKeyset(world.store))).toMatchObject({ step: "kms" });
    using stored = await target.read();
    expect(writeKeysetBinary(stored.keyset)).toEqual(writeKeysetBinary(keyset));
  });

  test("writes nothing in a dry run", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const before = currentValue(world);
    await convertKeyset(world.tools, createStore(world, SECRET, OTHER_KMS_KEY_ARN), { dryRun: true });
    expect(currentValue(world)).toBe(before);
  });
});
