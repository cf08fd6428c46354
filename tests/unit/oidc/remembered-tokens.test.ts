import { describe, expect, test } from "bun:test";
import type { KeySet } from "../../../src/oidc/key-set.ts";
import { createRememberedTokens, type RememberedToken } from "../../../src/oidc/remembered-tokens.ts";

function verifiedBy(keyId: string, textLength = 1000): RememberedToken {
  return {
    authentication: { kind: "invalid", cause: keyId },
    keyId,
    textLength,
    expiresAtEpochSeconds: 0,
    notBeforeEpochSeconds: 0,
  };
}

function keySetOf(...ids: readonly string[]): KeySet {
  return { find: () => undefined, has: (id) => ids.includes(id), usableCount: ids.length, passedOverCount: 0 };
}

describe("createRememberedTokens()", () => {
  test("drops the least recently used beyond its count", () => {
    const tokens = createRememberedTokens(2, Number.MAX_SAFE_INTEGER);
    for (const digest of ["a", "b"]) tokens.remember(digest, verifiedBy("k"));
    tokens.find("a");
    tokens.remember("c", verifiedBy("k"));
    expect(["a", "b", "c"].map((digest) => tokens.find(digest) !== undefined)).toEqual([true, false, true]);
  });

  test("drops the least recently used beyond its bytes, and never counts one token twice", () => {
    const tokens = createRememberedTokens(100, 10_000);
    for (let round = 0; round < 10; round++) tokens.remember("a", verifiedBy("k", 4000));
    expect(tokens.size()).toBe(1);
    tokens.remember("b", verifiedBy("k", 4000));
    expect([tokens.find("a"), tokens.find("b")?.keyId]).toEqual([undefined, "k"]);
  });

  test("forgets what keys verified that a new set lacks, and makes room for others", () => {
    const tokens = createRememberedTokens(100, 10_000);
    tokens.remember("a", verifiedBy("old", 4000));
    tokens.adopt(keySetOf("new"));
    tokens.remember("b", verifiedBy("new", 4000));
    expect([tokens.find("a"), tokens.find("b")?.keyId, tokens.size()]).toEqual([undefined, "new", 1]);
  });
});
