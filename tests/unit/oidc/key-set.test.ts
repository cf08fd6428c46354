import { describe, expect, test } from "bun:test";
import { createKeySet } from "../../../src/oidc/key-set.ts";
import { createStaticKeySource } from "../../../src/oidc/static-key-source.ts";
import { createIssuerKey } from "../../support/oidc-tokens.ts";

const KEY = createIssuerKey("key-1");
const OTHER = createIssuerKey("key-2");
const SMALL = createIssuerKey("small", 1024);
const paddedModulus = Buffer.concat([Buffer.alloc(128), Buffer.from(SMALL.jwk.n, "base64url")]);

describe("createKeySet() passes over", () => {
  const entries: readonly (readonly [string, unknown])[] = [
    ["null", null],
    ["a string", "key"],
    ["a list", [KEY.jwk]],
    ["an unknown kty", { ...KEY.jwk, kty: "XYZ" }],
    ["a symmetric key", { kty: "oct", k: "c2VjcmV0", kid: "key-1", alg: "RS256" }],
    ["an elliptic curve", { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "key-1" }],
    ["RSA under 2048 bits", SMALL.jwk],
    ["RSA under 2048 bits behind zeros", { ...SMALL.jwk, n: paddedModulus.toString("base64url") }],
    ["RSA over 8192 bits", { ...KEY.jwk, n: Buffer.alloc(1025, 0xff).toString("base64url") }],
    ["an exponent of 1, which signs everything", { ...KEY.jwk, e: "AQ" }],
    ["an even exponent", { ...KEY.jwk, e: "Ag" }],
    ["no exponent", { ...KEY.jwk, e: undefined }],
    ["an empty modulus", { ...KEY.jwk, n: "" }],
    ["a key for encryption", { ...KEY.jwk, use: "enc" }],
    ["a key for RS512", { ...KEY.jwk, alg: "RS512" }],
    ["a key for PS256", { ...KEY.jwk, alg: "PS256" }],
    ["key_ops without verify", { ...KEY.jwk, key_ops: ["sign"] }],
    ["key_ops that is no list", { ...KEY.jwk, key_ops: "verify" }],
    ["a kid that is no string", { ...KEY.jwk, kid: 1 }],
    ["a private key", KEY.privateKey.export({ format: "jwk" })],
  ];
  test.each(entries)("%s, and the others serve", (_name, entry) => {
    const keys = createKeySet([entry, OTHER.jwk]);
    expect([keys.usableCount, keys.passedOverCount, keys.find("key-2")?.kid]).toEqual([1, 1, "key-2"]);
    expect(keys.find("key-1")).toBeUndefined();
  });

  test("usable keys that share a kid, and the others serve", () => {
    const keys = createKeySet([KEY.jwk, { ...OTHER.jwk, kid: "key-1" }, OTHER.jwk]);
    expect([keys.find("key-1"), keys.find("key-2")?.kid]).toEqual([undefined, "key-2"]);
  });

  test("nothing for a kid that it shares with an unusable key", () => {
    expect(createKeySet([KEY.jwk, { ...SMALL.jwk, kid: "key-1" }]).find("key-1")?.kid).toBe("key-1");
  });
});

describe("createKeySet() finds", () => {
  test("a key that says neither what it is for nor its name, when it is the only one", () => {
    const keys = createKeySet([{ kty: "RSA", n: KEY.jwk.n, e: KEY.jwk.e }]);
    expect(keys.find(undefined)).toBeDefined();
    expect(keys.find("key-1")).toBeUndefined();
  });

  test("no key without a name among several, even when a shared kid leaves one usable", () => {
    expect(createKeySet([KEY.jwk, OTHER.jwk]).find(undefined)).toBeUndefined();
    const twins = [KEY.jwk, { ...OTHER.jwk, kid: "key-1" }];
    expect(createKeySet([...twins, createIssuerKey("key-3").jwk]).find(undefined)).toBeUndefined();
  });

  test("the same id for the same key in the next set, and another for other material of that name", () => {
    const id = createKeySet([KEY.jwk]).find("key-1")?.id ?? "";
    expect(createKeySet([OTHER.jwk, { ...KEY.jwk, use: undefined }]).has(id)).toBe(true);
    expect(createKeySet([{ ...OTHER.jwk, kid: "key-1" }]).has(id)).toBe(false);
    expect(createKeySet([{ ...KEY.jwk, kid: "renamed" }]).has(id)).toBe(false);
  });
});

describe("createStaticKeySource()", () => {
  test("answers with the given keys at once, whatever kid is asked for", () => {
    const source = createStaticKeySource(JSON.stringify({ keys: [KEY.jwk] }));
    expect(source.afterUnknownKid()).toBe(source.current());
    expect(source.current()).toMatchObject({ kind: "keys" });
  });

  test.each([
    ["no JSON", "nope"],
    ["a single key", JSON.stringify(KEY.jwk)],
    ["keys that are no list", '{"keys":{}}'],
    ["no keys", '{"keys":[]}'],
    ["only unusable keys", JSON.stringify({ keys: [SMALL.jwk] })],
  ])("rejects %s without showing the text", (_name, text) => {
    expect(() => createStaticKeySource(text)).toThrow(expect.objectContaining({ code: "invalid-jwks" }));
    expect(() => createStaticKeySource(text)).toThrow(/^no(t a JWK Set| usable key): [A-Za-z0-9 :]+$/);
  });
});
