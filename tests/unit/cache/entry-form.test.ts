import { describe, expect, test } from "bun:test";
import { createClearForm, createSealedForm } from "../../../src/cache/entry-form.ts";
import type { CipherOperation } from "../../../src/cache/observer.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { createAead } from "../../../src/tink/create-aead.ts";
import { addKey, createKeyset, promoteKey } from "../../../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";
import { createInstance } from "../../support/cache-instance.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";
import { rejection } from "../../support/rejection.ts";

const KEY = "default-profile:v1:111:222:profile://organization/acme/profile/deploy";
const template = findTemplate(DEFAULT_TEMPLATE);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function sealedForm(keyset: Keyset, keyPrefix = "") {
  const ciphered: CipherOperation[] = [];
  let aead = createAead(keyset);
  const form = createSealedForm({
    keyPrefix,
    currentAead: () => aead,
    clock: createFixedClock(),
    observer: { ciphered: (one) => void ciphered.push(one) },
  });
  return { form, ciphered, load: (next: Keyset) => (aead = createAead(next)) };
}

describe("the clear form", () => {
  test.each(["", "blue:"])("stores the text itself under the key behind the prefix %p", (prefix) => {
    const form = createClearForm(prefix);
    expect(form.storageKey(KEY)).toBe(prefix + KEY);
    expect(form.seal(KEY, "{}")).toBe("{}");
    expect(form.open(KEY, bytes("{}"))).toEqual({ kind: "text", text: "{}" });
  });

  test.each([
    ["what is not UTF-8", Uint8Array.of(0x7b, 0xff, 0x7d), "broken-json"],
    ["more than 256 KiB", new Uint8Array(256 * 1024 + 1), "too-large"],
  ] as const)("does not open %s", (_what, stored, why) => {
    expect(createClearForm("").open(KEY, stored)).toEqual({ kind: "unused", why });
  });
});

describe("the sealed form", () => {
  // The wire format: any Tink implementation opens it with this key and associated data.
  test.each([
    ["", `enc:${KEY}`, KEY],
    ["blue:", `blue:enc:${KEY}`, `blue:${KEY}`],
  ])(
    "with the prefix %p is enc:KEY, cb-enc: and padded base64, bound to the key without enc:",
    (prefix, name, bound) => {
      const keyset = createKeyset(template, systemRandom);
      const { form } = sealedForm(keyset, prefix);
      expect(form.storageKey(KEY)).toBe(name);
      const stored = form.seal(KEY, "text");
      expect(stored).toMatch(/^cb-enc:(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
      const plaintext = createAead(keyset).open(Buffer.from(stored.slice(7), "base64"), bytes(bound));
      expect(Buffer.from(plaintext ?? []).toString()).toBe("text");
    },
  );

  test("opens under its own key and prefix alone", () => {
    const keyset = createKeyset(template, systemRandom);
    const { form, ciphered } = sealedForm(keyset);
    const stored = bytes(form.seal(KEY, "text"));
    expect(form.open(KEY, stored)).toEqual({ kind: "text", text: "text" });
    expect(form.open(`${KEY}2`, stored)).toEqual({ kind: "unused", why: "not-decryptable" });
    expect(sealedForm(keyset, "blue:").form.open(KEY, stored)).toEqual({ kind: "unused", why: "not-decryptable" });
    expect(ciphered.map(({ operation, outcome }) => `${operation} ${outcome}`)).toEqual([
      "encrypt success",
      "decrypt success",
      "decrypt error",
    ]);
  });

  test.each([
    ["clear JSON", "{}", "not-sealed"],
    ["nothing", "", "not-sealed"],
    ["half a mark", "cb-enc", "not-sealed"],
    ["base64 without padding", "cb-enc:AAA", "broken-base64"],
    ["stray bits", "cb-enc:AB==", "broken-base64"],
    ["the alphabet of URLs", "cb-enc:__-_", "broken-base64"],
    ["no ciphertext", "cb-enc:", "not-decryptable"],
    ["a ciphertext of another key", "cb-enc:AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=", "not-decryptable"],
  ] as const)("does not open %s", (_what, stored, why) => {
    const { form } = sealedForm(createKeyset(template, systemRandom));
    expect(form.open(KEY, bytes(stored))).toEqual({ kind: "unused", why });
  });

  test("asks for the keyset in force at each use", () => {
    const before = createKeyset(template, systemRandom);
    const { keyset: added, keyId } = addKey(before, template, systemRandom);
    const { form, load } = sealedForm(before);
    const sealed = sealedForm(promoteKey(added, keyId)).form.seal(KEY, "text");
    expect(form.open(KEY, bytes(sealed)).kind).toBe("unused");
    load(added);
    expect(form.open(KEY, bytes(sealed))).toEqual({ kind: "text", text: "text" });
  });
});

describe("a stored value that is not used", () => {
  const keyset = createKeyset(template, systemRandom);
  const foreign = sealedForm(createKeyset(template, systemRandom)).form.seal("a", "{}");
  const { form } = sealedForm(keyset);

  test.each([
    ["clear text", "{}", "not-sealed", true],
    ["broken base64", "cb-enc:A", "broken-base64", true],
    ["broken JSON, sealed", form.seal("a", "{"), "broken-json", true],
    ["a key that is not loaded", foreign, "not-decryptable", false],
    ["another key's entry", form.seal("b", "{}"), "not-decryptable", false],
    ["another request's entry", form.seal("a", '{"name":"b"}'), "another-request", false],
  ] as const)(
    "%s: a miss that is counted, and deleted only if nobody can ever read it",
    async (_what, stored, why, gone) => {
      const clock = createFixedClock();
      const store = createMemoryEntryStore(clock);
      const instance = createInstance(clock, store, form);
      store.put("enc:a", stored, 60_000);
      const failing = () => Promise.reject(new Error("down"));
      expect(await rejection(instance.load("a", failing))).toHaveProperty("message", "down");
      expect(instance.unused).toEqual([why]);
      expect(store.text("enc:a")).toBe(gone ? undefined : stored);
      // And the next one that can be made takes its place.
      expect(await instance.loadNow("a")).toMatchObject({ source: "fetched" });
      expect(form.open("a", bytes(store.text("enc:a") ?? "")).kind).toBe("text");
    },
  );

  test("a value of another type is a miss and is replaced", async () => {
    const clock = createFixedClock();
    const store = createMemoryEntryStore(clock);
    const instance = createInstance(clock, store);
    store.putList("a");
    expect(await instance.loadNow("a")).toMatchObject({ source: "fetched" });
    expect(instance.unused).toEqual(["wrong-type"]);
    expect(store.text("a")).toContain('"name":"a"');
    expect(store.commands).not.toContain("remove a");
  });

  test("sealing that fails costs the shared entry, never the request", async () => {
    const clock = createFixedClock();
    const store = createMemoryEntryStore(clock);
    const broken = {
      ...form,
      seal: () => {
        throw new Error("no");
      },
    };
    expect(await createInstance(clock, store, broken).loadNow("a")).toMatchObject({ source: "fetched" });
    expect(store.values.size).toBe(0);
  });
});
