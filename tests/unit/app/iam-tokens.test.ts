import { describe, expect, test } from "bun:test";
import { describeIamProblem } from "../../../src/app/iam-tokens.ts";

const IAM = {
  kind: "iam",
  username: "bridge",
  cacheName: "tokens",
  service: "elasticache",
  serverless: false,
} as const;

describe("describeIamProblem()", () => {
  test.each([
    ["a replication group", IAM],
    ["a name with capitals, which are lowered", { ...IAM, cacheName: "Tokens" }],
    ["a serverless cache", { ...IAM, serverless: true }],
    ["MemoryDB", { ...IAM, service: "memorydb" }],
  ] as const)("has nothing against %s", (_what, iam) => {
    expect(describeIamProblem(iam)).toBeUndefined();
  });

  test.each([
    ["an endpoint", { cacheName: "tokens.abc.use1.cache.amazonaws.com" }, "cacheName"],
    ["a name that would change the query", { cacheName: "tokens?Action=x" }, "cacheName"],
    ["a MemoryDB name with two hyphens", { cacheName: "a--b", service: "memorydb" }, "cacheName"],
    ["a user with an underscore", { username: "my_user" }, "username"],
  ] as const)("names what is wrong with %s", (_what, changes, at) => {
    expect(describeIamProblem({ ...IAM, ...changes })?.at).toBe(at);
  });
});
