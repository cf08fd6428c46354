import { describe, expect, test } from "bun:test";
import type { BuildkiteIdentity } from "../../../src/oidc/buildkite-identity.ts";
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
    const tokens = new RememberedTokens<BuildkiteIdentity>({ proofs: 10, readings: 1 });
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
    const tokens = new RememberedTokens<BuildkiteIdentity>({ proofs: 4, readings: 1 });
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

  const authenticated = { kind: "authenticated", caller: IDENTITY } as const;

  test("knows who a token speaks for while it is in use, and no longer after others were", () => {
    const tokens = new RememberedTokens<BuildkiteIdentity>({ proofs: 10, readings: 2 });
    const proof = verifiedBy("k");
    tokens.read("one", "jwt", proof, authenticated);
    expect(tokens.reading("one")).toEqual({ ...proof, ...authenticated });
    for (const other of ["a", "b", "c", "d"]) tokens.read(other, "jwt", proof, authenticated);
    expect(tokens.reading("one")).toBeUndefined();
  });

  test("keeps no refusal, and nothing of a token over 4 KiB", () => {
    const tokens = new RememberedTokens<BuildkiteIdentity>({ proofs: 10, readings: 10 });
    tokens.read("refused", "jwt", verifiedBy("k"), { kind: "invalid", cause: "the clock was set back" });
    tokens.read("long", "x".repeat(4097), verifiedBy("k"), authenticated);
    expect([tokens.reading("refused"), tokens.reading("long")]).toEqual([undefined, undefined]);
  });

  test("forgets who a token speaks for when its key has gone", () => {
    const tokens = new RememberedTokens<BuildkiteIdentity>({ proofs: 10, readings: 10 });
    for (const key of ["kept", "gone"]) tokens.read(key, "jwt", verifiedBy(key), authenticated);
    tokens.adopt(keySetOf("kept"));
    expect([tokens.reading("kept") !== undefined, tokens.reading("gone")]).toEqual([true, undefined]);
  });
});
