import { describe, expect, test } from "bun:test";
import type { Authentication, BuildkiteIdentity } from "../../../src/oidc/buildkite-identity.ts";
import type { KeySet } from "../../../src/oidc/key-set.ts";
import { RememberedTokens } from "../../../src/oidc/remembered-tokens.ts";

const IDENTITY: BuildkiteIdentity = {
  issuer: "https://agent.buildkite.com",
  subject: "s",
  audience: ["a"],
  expiresAtEpochSeconds: 300,
  organizationSlug: "acme",
  pipelineSlug: "widget",
  pipelineId: "p",
  buildNumber: 1,
  buildBranch: "main",
  jobId: "j",
  claims: new Map(),
};

function verifiedBy(keyId: string) {
  return { keyId, expiresAtEpochSeconds: 300, notBeforeEpochSeconds: 0 };
}

function keySetOf(...ids: readonly string[]): KeySet {
  return { find: () => undefined, has: (id) => ids.includes(id), usableCount: ids.length, passedOverCount: 0 };
}

describe("RememberedTokens", () => {
  test("keeps the proofs that are used, and never more than twice their number", () => {
    const tokens = new RememberedTokens({ proofs: 10, readings: 1 });
    tokens.remember("used", verifiedBy("k"));
    for (let index = 0; index < 100; index++) {
      tokens.remember(`other-${index}`, verifiedBy("k"));
      expect(tokens.find("used")).toEqual(verifiedBy("k"));
    }
    const held = Array.from({ length: 100 }, (_, index) => tokens.find(`other-${index}`)).filter(Boolean);
    expect(held.length).toBeLessThan(20);
    expect(held.length).toBeGreaterThanOrEqual(8);
  });

  test("forgets what keys verified that a new set lacks, old and young, and nothing else", () => {
    const tokens = new RememberedTokens({ proofs: 4, readings: 1 });
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

  const reading = (): Authentication => ({ kind: "authenticated", identity: IDENTITY });

  test("reads a token once while it is in use, and again after others were", () => {
    const tokens = new RememberedTokens({ proofs: 10, readings: 2 });
    const first = tokens.reading("one", "jwt", reading);
    expect(tokens.reading("one", "jwt", reading)).toBe(first);
    for (const other of ["a", "b", "c", "d"]) tokens.reading(other, "jwt", reading);
    expect(tokens.reading("one", "jwt", reading)).not.toBe(first);
  });

  test("keeps no refusal, and nothing of a token over 4 KiB", () => {
    const tokens = new RememberedTokens({ proofs: 10, readings: 10 });
    tokens.reading("refused", "jwt", () => ({ kind: "invalid", cause: "the clock was set back" }));
    expect(tokens.reading("refused", "jwt", reading)).toEqual(reading());
    const long = "x".repeat(4097);
    expect(tokens.reading("long", long, reading)).not.toBe(tokens.reading("long", long, reading));
  });
});
