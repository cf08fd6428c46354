import { describe, expect, test } from "bun:test";
import { parseCompactJws } from "../../../src/oidc/compact-jws.ts";
import { importVerificationKey, isSignedBy } from "../../../src/oidc/verification-key.ts";
import vectors from "../../vectors/jws/json_web_signature_rs256.json";

describe("isSignedBy() agrees with Wycheproof", () => {
  test.each(vectors.tests)("$tcId $comment", ({ jws, result }) => {
    const key = importVerificationKey(vectors.public);
    if (key === undefined) throw new Error("the key was passed over");
    expect(isSignedBy(key, parseCompactJws(jws))).toBe(result === "valid");
  });
});
