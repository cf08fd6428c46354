import { describe, expect, test } from "bun:test";
import { runCaptured } from "../../../support/command-io.ts";

const POLICY = `pipeline:
  profiles:
    - name: release
      match: [{claim: pipeline_slug, value: widget}, {claim: build_number, valuePattern: "4."}]
      permissions: [contents:write]
    - {name: broken, permissions: [nonsense]}
    - {name: both, permissions: [contents:read]}
organization:
  profiles:
    - {name: any, repositories: ["{{caller-scoped-repository}}"], permissions: [contents:write]}
    - {name: both, repositories: [a], permissions: [contents:read]}
`;
const run = (cases: string, ...argv: string[]) =>
  runCaptured(["profiles", "test", "p.yaml", "cases.yaml", ...argv], {
    files: { "p.yaml": POLICY, "cases.yaml": cases },
  });

const CASES = `cases:
  - name: the pipeline that releases
    profile: release
    claims: {pipeline_slug: widget, build_number: 42}
    expect: granted
  - {profile: repo:release, claims: {pipeline_slug: other, build_number: 42}, expect: refused}
  - {profile: broken, claims: {}, expect: unavailable}
  - {profile: org:any, claims: {build_tag: ~}, expect: needs-scope}
  - {profile: any, claims: {}, repository: widget, expect: granted}
  - {profile: any, claims: {}, repository: policy, expect: refused}
`;

describe("profiles test", () => {
  test("passes when every case comes out as it says", async () => {
    const { code, out, err } = await run(CASES, "--policy-repository", "policy");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toBe(`ok\tthe pipeline that releases\trelease\tgranted
ok\tcase 2\trepo:release\trefused
ok\tcase 3\tbroken\tunavailable
ok\tcase 4\torg:any\tneeds-scope
ok\tcase 5\tany\tgranted
ok\tcase 6\tany\trefused
6 passed, 0 failed
`);
  });

  test("says of a case that differs what came out and why, and exits 1", async () => {
    const { code, out } = await run(`cases:
  - {name: a branch, profile: release, claims: {pipeline_slug: dev}, expect: granted}
  - {name: gone, profile: relese, claims: {}, expect: refused}
  - {name: which, profile: both, claims: {}, expect: granted}
  - {name: own repository, profile: any, claims: {}, repository: policy, expect: refused}
`);
    expect(code).toBe(1);
    expect(out)
      .toBe(`FAILED\ta branch\trelease\trefused, not granted: pipeline_slug is "dev", not "widget"; build_number is absent, not a match of "4."
FAILED\tgone\trelese\tnot-found, not refused: the file has no such profile
FAILED\twhich\tboth\tambiguous, not granted: write repo:NAME or org:NAME
FAILED\town repository\tany\tgranted, not refused: contents:write, metadata:read on policy
0 passed, 4 failed
`);
  });

  test("writes JSON for programs", async () => {
    const { code, out } = await run("cases: [{profile: broken, claims: {}, expect: granted}]", "--format", "json");
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual({
      passed: 0,
      failed: 1,
      cases: [{ name: "case 1", profile: "broken", expect: "granted", actual: "unavailable", passed: false }],
    });
  });

  test.each([
    ["an empty file", "", "1:1: error: the file holds no cases"],
    ["no cases", "cases: []\n", "1:1: error: the file holds no cases"],
    ["another key", "case: []\n", '1:1: error: the file has no key "case"; it may have cases'],
    ["a misspelt outcome", "cases: [{profile: a, claims: {}, expect: allowed}]", "1:42: error: expect is one of"],
    ["no claims", "cases: [{profile: a, expect: granted}]", "1:9: error: the case has no claims"],
    ["no profile", "cases: [{claims: {}, expect: granted}]", "1:9: error: the case has no profile"],
    ["no outcome", "cases: [{profile: a, claims: {}}]", "1:9: error: the case has no expect"],
    [
      "claims that are a list",
      "cases: [{profile: a, claims: [], expect: granted}]",
      "1:30: error: claims must be a map",
    ],
    [
      "a claim of a type that no token has",
      "cases: [{profile: a, claims: {build_branch: 7}, expect: granted}]",
      '1:30: error: claim "build_branch" is not a string: the service would refuse such a token',
    ],
    [
      "a repository with an owner",
      "cases: [{profile: a, claims: {}, repository: acme/a, expect: granted}]",
      '1:46: error: "acme/a" is not the name of a repository',
    ],
    ["a repeated key", "cases: [{profile: a, profile: b, claims: {}, expect: granted}]", "1:22: error: the key"],
  ])("refuses a table with %s, and shows where", async (_, cases, message) => {
    const { code, out, err } = await run(cases);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toStartWith(`cases.yaml:${message}`);
    expect(err).toEndWith(
      "error: cases.yaml is no table of cases [cases-malformed]\ndocs/profiles.md shows one: cases: [{profile, claims, expect}]\n",
    );
  });

  test("says of a case that is no map that alone", async () => {
    expect((await run("cases: [null]")).err).toContain("1 error and 0 warnings in 1 file");
  });
});
