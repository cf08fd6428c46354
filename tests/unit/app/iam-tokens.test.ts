import { describe, expect, test } from "bun:test";
import { describeIamProblems } from "../../../src/app/iam-tokens.ts";

const IAM = { username: "bridge", cacheName: "tokens", service: "elasticache" } as const;

describe("describeIamProblems()", () => {
  test.each([
    ["a cache of ElastiCache", IAM],
    ["a name with capitals, which are lowered", { ...IAM, cacheName: "Tokens" }],
    ["MemoryDB", { ...IAM, service: "memorydb" }],
    ["names that are not there", { ...IAM, username: undefined, cacheName: undefined }],
  ] as const)("has nothing against %s", (_what, names) => {
    expect(describeIamProblems(names)).toEqual([]);
  });

  test.each([
    ["an endpoint", { cacheName: "tokens.abc.use1.cache.amazonaws.com" }, ["cacheName"]],
    ["a name that would change the query", { cacheName: "tokens?Action=x" }, ["cacheName"]],
    ["a MemoryDB name with two hyphens", { cacheName: "a--b", service: "memorydb" }, ["cacheName"]],
    ["a user with an underscore", { username: "my_user" }, ["username"]],
    ["both", { username: "my_user", cacheName: "-" }, ["username", "cacheName"]],
    ["a cache whose user is missing", { username: undefined, cacheName: "-" }, ["cacheName"]],
  ] as const)("names what is wrong with %s", (_what, changes, at) => {
    const problems = describeIamProblems({ ...IAM, ...changes });
    expect(problems.map((problem) => problem.at)).toEqual([...at]);
    for (const { accepted } of problems) expect(accepted).toContain("letters, digits and");
  });
});
