import { describe, expect, test } from "bun:test";
import { PROGRAMS, runProgram } from "../../support/program.ts";
import { rejectToken } from "../../support/valkey/sigv4-verifier.ts";

const KEYS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const AWS = {
  AWS_REGION: "us-east-1",
  AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
  AWS_EC2_METADATA_DISABLED: "true",
};
const CACHE = { VALKEY_USERNAME: "bridge", VALKEY_IAM_CACHE_NAME: "Tokens" };

describe.each(PROGRAMS)("cache-token of %s", (_name, program) => {
  const cacheToken = (environment: Record<string, string>) => runProgram(program, ["cache-token"], { environment });

  test.each([
    ["a replication group", {}, { service: "elasticache", serverless: false }],
    ["a serverless cache", { VALKEY_IAM_SERVERLESS: "true" }, { service: "elasticache", serverless: true }],
    ["MemoryDB", { VALKEY_IAM_SERVICE: "memorydb" }, { service: "memorydb", serverless: false }],
  ] as const)("prints a token that lets its user into %s, and nothing else", async (_what, variables, target) => {
    const { code, out, err } = await cacheToken({ ...AWS, ...CACHE, ...variables });
    expect({ code, err, lines: out.split("\n").length }).toEqual({ code: 0, err: "", lines: 2 });
    const expected = { ...KEYS, ...target, region: "us-east-1", cacheName: "tokens" };
    expect(rejectToken("bridge", out.trim(), expected)).toBeUndefined();
    expect(rejectToken("another", out.trim(), expected)).toBeDefined();
  });

  test.each([
    ["no user", { ...AWS, VALKEY_IAM_CACHE_NAME: "tokens" }, "VALKEY_USERNAME is required"],
    ["no cache", { ...AWS, VALKEY_USERNAME: "bridge" }, "VALKEY_IAM_CACHE_NAME is required"],
    [
      "an endpoint for a name",
      { ...AWS, ...CACHE, VALKEY_IAM_CACHE_NAME: "a.b.c" },
      "VALKEY_IAM_CACHE_NAME is no name",
    ],
    ["a user that AWS has not", { ...AWS, ...CACHE, VALKEY_USERNAME: "a_b" }, "VALKEY_USERNAME is no user id"],
    [
      "serverless MemoryDB",
      { ...AWS, ...CACHE, VALKEY_IAM_SERVICE: "memorydb", VALKEY_IAM_SERVERLESS: "true" },
      "VALKEY_IAM_SERVERLESS is true",
    ],
    ["no region", { ...AWS, ...CACHE, AWS_REGION: "" }, "AWS_REGION is not set"],
    ["no credentials", { ...AWS, ...CACHE, AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }, "credential"],
  ] as const)("ends with 1 and says what is missing: %s", async (_what, environment, reason) => {
    const { code, out, err } = await cacheToken(environment);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err.split("\n")[0]).toContain(reason);
    expect(err).not.toContain(KEYS.secretAccessKey);
  });
});
