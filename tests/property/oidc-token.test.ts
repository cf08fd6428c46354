import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import type { BuildkiteIdentity, Verifier } from "../../src/oidc/buildkite-identity.ts";
import { parseJsonObject } from "../../src/oidc/json-object.ts";
import { createStaticKeySource } from "../../src/oidc/static-key-source.ts";
import { createVerifier } from "../../src/oidc/verifier.ts";
import { createFixedClock } from "../support/fixed-clock.ts";
import { AUDIENCE, createIssuerKey, ISSUER, signToken } from "../support/oidc-tokens.ts";

const KEY = createIssuerKey("key-1");
const keySource = createStaticKeySource(JSON.stringify({ keys: [KEY.jwk] }));
const GOOD = signToken(KEY);

/** Knows the good token by heart, so that a mutated one would have to be told apart from it. */
function createPrimedVerifier(): Verifier<BuildkiteIdentity> {
  const verifier = createVerifier({
    introduce: (identity) => identity,
    issuer: ISSUER,
    audience: AUDIENCE,
    organizationSlug: "acme",
    keySource,
    clock: createFixedClock(),
  });
  expect(verifier.verify(GOOD)).toMatchObject({ kind: "authenticated" });
  return verifier;
}

describe("no change to a valid token authenticates", () => {
  const verifier = createPrimedVerifier();
  const rejects = (jwt: string): boolean => {
    const authentication = verifier.verify(jwt);
    return !(authentication instanceof Promise) && authentication.kind === "invalid";
  };

  test("any one character replaced, at every place", () => {
    const replacement = fc.constantFrom(...Array.from("ABCXYZabcxyz0189-_+/=. \n\0é\ud800"));
    fc.assert(
      fc.property(replacement, fc.nat({ max: 40 }), (char, offset) => {
        for (let at = offset; at < GOOD.length; at += 41) {
          if (GOOD[at] !== char) expect(rejects(GOOD.slice(0, at) + char + GOOD.slice(at + 1))).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test("any bit of the decoded parts flipped", () => {
    const [header = "", payload = "", signature = ""] = GOOD.split(".");
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2), fc.nat(), fc.nat({ max: 7 }), (part, at, bit) => {
        const parts = [header, payload, signature].map((text) => Buffer.from(text, "base64url"));
        const bytes = parts[part] ?? Buffer.alloc(0);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
        expect(rejects(parts.map((each) => each.toString("base64url")).join("."))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("anything cut off, added or put in", () => {
    fc.assert(
      fc.property(fc.nat({ max: GOOD.length }), fc.nat({ max: 3 }), fc.string({ maxLength: 5 }), (at, drop, insert) => {
        const changed = GOOD.slice(0, at) + insert + GOOD.slice(at + drop);
        if (changed !== GOOD) expect(rejects(changed)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe("any input at all", () => {
  test("is answered with a cause that shows none of it", () => {
    const verifier = createPrimedVerifier();
    const canary = "CANARY";
    fc.assert(
      fc.property(fc.string(), fc.json(), (text, json) => {
        const tokens = [
          `${canary}${text}`,
          `${canary}.${text}.${canary}`,
          signToken(KEY, `{"${canary}":${json},"sub":"${canary}"}`),
          signToken(KEY, json, `{"alg":"${canary}","kid":${json}}`),
          signToken(KEY, { [canary]: text, iss: canary, "agent_tag:CANARY": 1 }, { alg: "RS256", kid: canary }),
        ];
        for (const jwt of tokens) {
          const authentication = verifier.verify(jwt);
          if (authentication instanceof Promise || authentication.kind !== "invalid") throw new Error("not refused");
          expect(authentication.cause).not.toContain(canary);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("parses as JSON.parse does, or not at all", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const parsed = parseJsonObject(new TextEncoder().encode(text));
        const expected: unknown = JSON.parse(text);
        const isObject = typeof expected === "object" && expected !== null && !Array.isArray(expected);
        if (isObject) expect(parsed).toEqual(expected as Record<string, unknown>);
        else expect(parsed).toBeUndefined();
      }),
    );
  });

  test("never parses with a member of the top level repeated", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (members, pick) => {
        const names = Object.keys(members);
        const name = names[pick % names.length] ?? "";
        const text = `${JSON.stringify(members).slice(0, -1)},${JSON.stringify(name)}:0}`;
        expect(parseJsonObject(new TextEncoder().encode(text))).toBeUndefined();
      }),
    );
  });
});
