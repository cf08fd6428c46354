import { describe, expect, test } from "bun:test";
import type { KeySet } from "../../../src/oidc/key-set.ts";
import {
  createRememberedTokens,
  type RememberedToken,
  type RememberedTokens,
} from "../../../src/oidc/remembered-tokens.ts";

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
  test("never holds more than its count, and keeps what is used", () => {
    const tokens = createRememberedTokens(10, Number.MAX_SAFE_INTEGER);
    tokens.remember("used", verifiedBy("k"));
    for (let index = 0; index < 100; index++) {
      tokens.remember(`other-${index}`, verifiedBy("k"));
      expect(tokens.find("used")?.keyId).toBe("k");
    }
    expect(countHeld(tokens)).toBeLessThanOrEqual(9);
  });

  test("never holds more than its bytes", () => {
    const tokens = createRememberedTokens(1000, 60_000);
    for (let index = 0; index < 100; index++) tokens.remember(`other-${index}`, verifiedBy("k", 4000));
    expect(countHeld(tokens)).toBeLessThanOrEqual(60_000 / 4000);
    expect(countHeld(tokens)).toBeGreaterThan(0);
  });

  test("forgets what keys verified that a new set lacks, old and young, and nothing else", () => {
    const tokens = createRememberedTokens(8, Number.MAX_SAFE_INTEGER);
    for (const index of [0, 1, 2, 3, 4, 5])
      tokens.remember(`other-${index}`, verifiedBy(index % 2 === 0 ? "kept" : "gone"));
    tokens.adopt(keySetOf("kept"));
    expect([0, 1, 2, 3, 4, 5].map((index) => tokens.find(`other-${index}`)?.keyId)).toEqual([
      "kept",
      undefined,
      "kept",
      undefined,
      "kept",
      undefined,
    ]);
  });
});

function countHeld(tokens: RememberedTokens): number {
  return Array.from({ length: 100 }, (_, index) => tokens.find(`other-${index}`)).filter((token) => token !== undefined)
    .length;
}
