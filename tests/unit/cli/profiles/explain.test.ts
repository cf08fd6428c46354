import { describe, expect, test } from "bun:test";
import { captureOutput, runCaptured } from "../../../support/command-io.ts";

const POLICY = `pipeline:
  defaults:
    permissions: [contents:read]
  profiles:
    - name: release
      match:
        - {claim: build_branch, value: main}
        - {claim: build_tag, valuePattern: v.*}
      permissions: [contents:write]
    - {name: broken, permissions: [nonsense]}
    - {name: shared, permissions: [issues:read]}
organization:
  profiles:
    - name: shared
      app: writer
      repositories: [widget, gadget]
      permissions: [packages:read]
    - name: any
      repositories: ["{{caller-scoped-repository}}"]
      match: [{claim: pipeline_slug, value: widget}]
      permissions: [contents:write]
    - name: all
      repositories: ["{{all-repositories}}"]
      permissions: [contents:read]
`;
const CLAIMS = {
  pipeline_slug: "widget",
  pipeline_id: "id",
  build_number: 7,
  build_branch: "dev",
  build_commit: "abc",
  iss: "https://agent.buildkite.com",
};
const files = { "p.yaml": POLICY, "claims.json": JSON.stringify(CLAIMS), "bad.yaml": "pipline: {}\n" };
const explain = (...argv: string[]) =>
  runCaptured(["profiles", "explain", "p.yaml", "--claims", "claims.json", ...argv], { files });
const explainJson = async (...argv: string[]) => JSON.parse((await explain("--format", "json", ...argv)).out).profiles;

describe("profiles explain", () => {
  test("tells of every profile, in the documented JSON", async () => {
    expect(await explainJson()).toEqual([
      {
        profile: "repo:default",
        outcome: "granted",
        request: {
          app: "default",
          permissions: { contents: "read", metadata: "read" },
          repositories: ["{{pipeline-repository}}"],
        },
      },
      {
        profile: "repo:release",
        outcome: "refused",
        failedRule: { claim: "build_branch", value: "main", actual: "dev" },
      },
      { profile: "repo:broken", outcome: "unavailable", reasons: ['permission "nonsense" must be field:action'] },
      {
        profile: "repo:shared",
        outcome: "granted",
        request: {
          app: "default",
          permissions: { issues: "read", metadata: "read" },
          repositories: ["{{pipeline-repository}}"],
        },
      },
      {
        profile: "org:shared",
        outcome: "granted",
        request: {
          app: "writer",
          permissions: { packages: "read", metadata: "read" },
          repositories: ["widget", "gadget"],
        },
      },
      { profile: "org:any", outcome: "needs-scope" },
      {
        profile: "org:all",
        outcome: "granted",
        request: {
          app: "default",
          permissions: { contents: "read", metadata: "read" },
          repositories: ["{{all-repositories}}"],
        },
      },
    ]);
  });

  test("shows people every rule that does not hold", async () => {
    const { code, out, err } = await explain("--profile", "release");
    expect({ code, out, err }).toEqual({
      code: 1,
      out: 'repo:release\trefused\tbuild_branch is "dev", not "main"; build_tag is absent, not a match of "v.*"\n',
      err: "",
    });
  });

  test("tells the pattern of a rule that is one, and null for a claim that is absent", async () => {
    const claims = { "c.json": JSON.stringify({ ...CLAIMS, build_branch: "main" }), "p.yaml": POLICY };
    const argv = ["profiles", "explain", "p.yaml", "--claims", "c.json", "--profile", "repo:release", "--format=json"];
    const { out } = await runCaptured(argv, { files: claims });
    expect(JSON.parse(out).profiles[0].failedRule).toEqual({ claim: "build_tag", valuePattern: "v.*", actual: null });
  });

  test("takes the repository that the job asks for", async () => {
    expect((await explainJson("--repository", "Gadget", "--profile", "org:shared"))[0].outcome).toBe("granted");
    expect((await explainJson("--repository", "other", "--profile", "org:shared"))[0]).toEqual({
      profile: "org:shared",
      outcome: "refused",
      reasons: ["the profile does not reach the repository other"],
    });
    const [scoped] = await explainJson("--repository", "other", "--profile", "any");
    expect(scoped.request.repositories).toEqual(["other"]);
    const [own] = await explainJson("--repository", "widget", "--profile", "default");
    expect(own.request.repositories).toEqual(["widget"]);
  });

  test("refuses what the service refuses for the sake of the policy's own repository", async () => {
    const [scoped] = await explainJson("--repository", "policy", "--profile", "any", "--policy-repository", "POLICY");
    expect(scoped).toMatchObject({ outcome: "refused", reasons: [expect.stringContaining("holds the policy")] });
  });

  test("knows the Apps that --apps names", async () => {
    expect((await explainJson("--apps", "reader", "--profile", "org:shared"))[0]).toEqual({
      profile: "org:shared",
      outcome: "unavailable",
      reasons: ['app "writer" is not a configured, enabled application'],
    });
  });

  test("exits 0 only when the profile that was asked about is granted, and 0 without one", async () => {
    expect((await explain()).code).toBe(0);
    expect((await explain("--profile", "default")).code).toBe(0);
    expect((await explain("--profile", "any")).code).toBe(1);
    expect((await explain("--profile", "broken")).code).toBe(1);
  });

  test("reads a token on standard input, and says that it did not verify it", async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = `${part({ alg: "RS256" })}.${part({ ...CLAIMS, build_branch: "main", build_tag: "v1" })}.${part("not a signature")}\n`;
    const argv = ["profiles", "explain", "p.yaml", "--token", "--profile", "release"];
    const { code, out, err } = await runCaptured(argv, { files, input });
    expect({ code, out }).toEqual({
      code: 0,
      out: "repo:release\tgranted\tcontents:write, metadata:read on {{pipeline-repository}}\n",
    });
    expect(err).toBe("note: the token was not verified: neither its signature nor its issuer, audience and times\n");
  });

  test("says which claims are missing that every token has", async () => {
    const { err } = await runCaptured(["profiles", "explain", "p.yaml", "--claims", "c.json"], {
      files: { ...files, "c.json": '{"pipeline_slug":"widget","build_branch":"main","build_number":1}' },
    });
    expect(err).toBe(
      "note: c.json lacks pipeline_id, build_commit, which the service asks of every token; rules on that do not hold\n",
    );
  });

  test.each([
    ["nothing", []],
    ["both", ["--claims", "claims.json", "--token"]],
  ])("needs claims or a token: with %s it exits 2", async (_, argv) => {
    expect(await runCaptured(["profiles", "explain", "p.yaml", ...argv], { files })).toEqual({
      code: 2,
      out: "",
      err: "error: one of --claims FILE and --token is needed\nsee chinmina-bridge profiles explain --help\n",
    });
  });

  test.each([
    ["a list", "[]"],
    ["a repeated member", '{"pipeline_slug":"a","pipeline_slug":"b"}'],
    ["too much", `{"x":"${"y".repeat(70_000)}"}`],
    ["nothing", ""],
  ])("refuses claims that are %s", async (_, text) => {
    const argv = ["profiles", "explain", "p.yaml", "--claims", "c.json"];
    const { code, err } = await runCaptured(argv, { files: { ...files, "c.json": text } });
    expect(code).toBe(1);
    expect(err).toStartWith("error: c.json does not hold one JSON object with distinct members [claims-malformed]\n");
  });

  // What a claim holds may be worth hiding; the message tells its name alone.
  test.each([
    ["a branch that is a number", { build_branch: 7_777_777 }, 'claim "build_branch" is not a string'],
    ["a build number that is text", { build_number: "7777777" }, 'claim "build_number" is not a whole number'],
    ["an id with a slash", { pipeline_id: "7777777/x" }, 'claim "pipeline_id" holds a slash'],
  ])("refuses %s as the service would", async (_, change, message) => {
    const argv = ["profiles", "explain", "p.yaml", "--claims", "c.json"];
    const { code, err } = await runCaptured(argv, {
      files: { ...files, "c.json": JSON.stringify({ ...CLAIMS, ...change }) },
    });
    expect(code).toBe(1);
    expect(err).toStartWith(`error: c.json: ${message}`);
    expect(err).toEndWith("\nthe service answers such a token with 401, whatever the profile\n");
    expect(err).not.toContain("7777777");
  });

  test.each(["", "abc", "a.b.c", "x".repeat(10_000)])("refuses %p as a token, without repeating it", async (input) => {
    const { code, err } = await runCaptured(["profiles", "explain", "p.yaml", "--token"], { files, input });
    expect(code).toBe(1);
    expect(err).toStartWith("error: standard input: the ");
    expect(err).toContain("buildkite-agent oidc request-token");
  });

  test("tells of a standard input that cannot be read as of a file", async () => {
    const input = Object.assign(new Error("a folder"), { code: "EISDIR" });
    expect(await runCaptured(["profiles", "explain", "p.yaml", "--token"], { files, input })).toEqual({
      code: 1,
      out: "",
      err: "error: standard input cannot be read (EISDIR) [file-unreadable]\nthat is a folder; name the file in it\n",
    });
  });

  test("takes claims with a byte-order mark, as profile files", async () => {
    const marked = { ...files, "claims.json": `\uFEFF${JSON.stringify(CLAIMS)}\r\n` };
    const argv = ["profiles", "explain", "p.yaml", "--claims", "claims.json", "--profile", "default"];
    expect(await runCaptured(argv, { files: marked })).toMatchObject({ code: 0, err: "" });
  });

  test.each([
    ["nope", "without --profile, every profile is explained"],
    ["repo:", "without --profile, every profile is explained"],
    ["org:relaese", "did you mean repo:release?"],
    ["org:shard", "did you mean org:shared?"],
    ["org:default", "did you mean repo:default?"],
  ])("for --profile %s suggests a name that is alike, and none that is not", async (name, advice) => {
    expect((await explain("--profile", name)).err.split("\n")[1]).toBe(advice);
  });

  test.each([
    ["shared", 2, "error: shared is a pipeline profile and an organization profile\nsay repo:NAME or org:NAME\n"],
    ["relaese", 1, "error: the file has no profile relaese [profile-unknown]\ndid you mean repo:release?\n"],
    ["org:default", 1, "error: the file has no profile org:default [profile-unknown]\n"],
    ["team:x", 1, "error: the file has no profile team:x [profile-unknown]\n"],
  ])("--profile %s fails with what to try next", async (name, code, error) => {
    const result = await explain("--profile", name);
    expect(result.code).toBe(code);
    expect(result.err).toStartWith(error);
    expect(result.err.split("\n")).toHaveLength(3);
  });

  test("says of a file that is refused where, and how to see it all", async () => {
    const argv = ["profiles", "explain", "bad.yaml", "--claims", "claims.json"];
    expect(await runCaptured(argv, { files })).toEqual({
      code: 1,
      out: "",
      err: 'error: bad.yaml is refused as a whole: line 1, column 1: the file has no key "pipline"; it may have pipeline, organization [policy-refused]\nchinmina-bridge profiles check bad.yaml tells every problem\n',
    });
  });

  test("shows a table on a terminal", async () => {
    const { out } = await runCaptured(["profiles", "explain", "p.yaml", "--claims", "claims.json"], {
      files,
      out: captureOutput("plain terminal"),
    });
    expect(out).toContain("PROFILE       OUTCOME      WHY\n");
    expect(out).toContain("org:any       needs-scope  the job must name a repository: --repository NAME\n");
  });
});
