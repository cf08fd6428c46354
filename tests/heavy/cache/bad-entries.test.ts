import { beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { systemRandom } from "../../../src/lib/random.ts";
import { createAead } from "../../../src/tink/create-aead.ts";
import { createKeyset } from "../../../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import { parseCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import { addLoadPipelines } from "../../support/request-load.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { ENGINES, installRealServers, startRealServer, type RealServer } from "../../support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";
import { startFleet, type TestWorld } from "../../support/world.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("bad-entries", ["localhost"]);

beforeAll(installRealServers, 300_000);

type Json = Record<string, unknown>;

/** What one puts in an entry's place. `seal` is for this entry's own key. */
interface Entry {
  readonly value: string;
  readonly json: Json;
  readonly seal: (text: string) => string;
}

const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, "");

/** Each with the reason that the log gives. */
const UNUSED: readonly (readonly [what: string, why: string, make: (entry: Entry) => string])[] = [
  ["nothing", "not-sealed", () => ""],
  ["somebody's text", "not-sealed", () => "hello"],
  ["the token in clear", "not-sealed", ({ json }) => JSON.stringify(json)],
  ["base64 of another alphabet", "broken-base64", () => "cb-enc:_-_-"],
  ["base64 without its padding", "broken-base64", () => "cb-enc:AAA"],
  ["no ciphertext", "not-decryptable", () => "cb-enc:"],
  ["half the ciphertext", "not-decryptable", ({ value }) => value.slice(0, 7 + 4 * Math.floor(value.length / 8))],
  ["one bit another", "not-decryptable", ({ value }) => flip(value)],
  ["another keyset's ciphertext", "not-decryptable", ({ json }) => sealedElsewhere(JSON.stringify(json))],
  ["no JSON", "broken-json", ({ seal }) => seal("{")],
  ["JSON of another shape", "malformed", ({ seal }) => seal("[]")],
  ["a token without its expiry", "malformed", ({ seal, json }) => seal(JSON.stringify({ ...json, expiry: undefined }))],
  ["more permissions", "another-request", changed({ permissions: ["contents:write", "metadata:read"] })],
  ["another profile", "another-request", changed({ profile: "repo:release-publisher" })],
  ["another organization", "another-request", changed({ organizationSlug: "globex" })],
  ["another App", "another-request", changed({ appId: 333 })],
  ["another installation", "another-request", changed({ installationId: 223 })],
  ["another token than the hash's", "another-request", changed({ token: "ghs_another" })],
  ["one that has ended", "expiry", changed({ expiry: inSeconds(-60) })],
  ["one that ends too soon", "expiry", changed({ expiry: inSeconds(4 * 60) })],
  ["one that lasts too long", "expiry", changed({ expiry: inSeconds(24 * 3600) })],
  ["more than 256 KiB", "too-large", ({ seal, json }) => seal(JSON.stringify({ ...json, more: "x".repeat(200_000) }))],
];

describe.each(ENGINES)("an entry of %s that is not what it should be", (engine) => {
  test("is a miss, is told with its reason, and is replaced by a good one", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    using keyset = writeKeysetFile();
    const variables = { ...valkeyVariables(server, authority), ...keyset.variables };
    await using fleet = await startFleet(2, variables, { form: "binary", prepare: addLoadPipelines });
    const [maker, reader] = fleet.worlds as [TestWorld, TestWorld];
    await Promise.all(fleet.worlds.map(({ bridge }) => bridge.waitFor(({ message }) => message === "valkey: in use")));
    const openEntry = entryOpener(keyset.path);
    const slugs = [...UNUSED.keys(), UNUSED.length].map((index) => `load-${index}`);
    for (const slug of slugs) await ask(maker, slug);
    const keyOf = await storedKeys(server, slugs);

    const sources: Json = {};
    for (const [index, [what, , make]] of UNUSED.entries()) {
      const key = keyOf(`load-${index}`);
      const value = server.admin("--raw", "get", key);
      const entry = openEntry(key, value);
      put(server, key, make({ value, ...entry }));
      sources[what] = (await ask(reader, `load-${index}`)).audit["token"].source;
    }
    const last = keyOf(slugs.at(-1) ?? "");
    server.admin("del", last);
    server.admin("rpush", last, "a", "list");
    sources["a list"] = (await ask(reader, slugs.at(-1) ?? "")).audit["token"].source;

    const expected = [...UNUSED.map(([what]) => what), "a list"];
    expect(sources).toEqual(Object.fromEntries(expected.map((what) => [what, "github"])));
    // One line for each kind and minute.
    const told = reader.bridge.lines.filter(({ message }) => message === "cache entry not used").map(({ why }) => why);
    expect(new Set(told)).toEqual(new Set([...UNUSED.map(([, why]) => why), "wrong-type"]));
    expect(new Set(told).size).toBe(told.length);
    for (const slug of slugs) {
      const [key, again] = [keyOf(slug), await ask(reader, slug)];
      expect(server.admin("--raw", "get", key)).toStartWith("cb-enc:");
      expect(openEntry(key, server.admin("--raw", "get", key)).json["token"]).toBe(again.json.token);
    }
  }, 120_000);

  test("without an expiry, or with one that is too long, is used and serves no longer than ours", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    using keyset = writeKeysetFile();
    const variables = { ...valkeyVariables(server, authority), ...keyset.variables };
    await using fleet = await startFleet(2, variables, { form: "binary", prepare: addLoadPipelines });
    const [maker, reader] = fleet.worlds as [TestWorld, TestWorld];
    const slugs = ["load-0", "load-1"];
    for (const slug of slugs) await ask(maker, slug);
    const keyOf = await storedKeys(server, slugs);
    server.admin("persist", keyOf("load-0"));
    server.admin("expire", keyOf("load-1"), "1000000");
    for (const slug of slugs) expect((await ask(reader, slug)).audit["token"].source).toBe("valkey");
  }, 60_000);
});

function ask(world: TestWorld, slug: string) {
  return world.ask("/token", { jwt: world.jwt({}, slug) });
}

/** In pieces: an argument of a command line has its limit. */
function put(server: RealServer, key: string, value: string): void {
  server.admin("set", key, "", "ex", "2000");
  for (let at = 0; at < value.length; at += 100_000) server.admin("append", key, value.slice(at, at + 100_000));
}

/** Entries are stored behind the reply. */
async function storedKeys(server: RealServer, slugs: readonly string[]): Promise<(slug: string) => string> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const keys = server.admin("--raw", "keys", "enc:*").split("\n");
    const found = new Map(slugs.map((slug) => [slug, keys.find((key) => key.endsWith(`/${slug}/profile/default`))]));
    if (!found.values().some((key) => key === undefined)) return (slug) => found.get(slug) ?? "";
    await Bun.sleep(20);
  }
  throw new Error("not every entry is stored");
}

/** Opens an entry with the service's own keyset, and seals others for the same key. */
function entryOpener(keysetPath: string) {
  const aead = createAead(parseCleartextKeyset(readFileSync(keysetPath)));
  return (storageKey: string, value: string): { readonly json: Json; readonly seal: (text: string) => string } => {
    const associatedData = new TextEncoder().encode(storageKey.replace(/^enc:/, ""));
    const plaintext = aead.open(Uint8Array.fromBase64(value.slice("cb-enc:".length)), associatedData);
    if (plaintext === undefined) throw new Error(`${storageKey} does not open`);
    return {
      json: JSON.parse(new TextDecoder().decode(plaintext)),
      seal: (text) => `cb-enc:${aead.seal(new TextEncoder().encode(text), associatedData).toBase64()}`,
    };
  };
}

function changed(changes: Json): (entry: Entry) => string {
  return ({ seal, json }) => seal(JSON.stringify({ ...json, ...changes }));
}

function flip(value: string): string {
  const bytes = Uint8Array.fromBase64(value.slice("cb-enc:".length));
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  return `cb-enc:${bytes.toBase64()}`;
}

function sealedElsewhere(text: string): string {
  const aead = createAead(createKeyset(findTemplate(DEFAULT_TEMPLATE), systemRandom));
  return `cb-enc:${aead.seal(new TextEncoder().encode(text), new Uint8Array()).toBase64()}`;
}
