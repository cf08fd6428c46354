import { describe, expect, test } from "bun:test";
import { compileFile, type CompiledPolicy } from "../../../src/profiles/compile.ts";
import { inspectPolicy } from "../../../src/profiles/inspect.ts";

const DIGEST = "d".repeat(64);

function compile(text: string): CompiledPolicy {
  const compilation = compileFile(new TextEncoder().encode(text), DIGEST);
  if (compilation.kind === "refused") throw new Error(JSON.stringify(compilation.findings));
  return compilation.policy;
}

function refusals(text: string): string[] {
  const compilation = compileFile(new TextEncoder().encode(text), DIGEST);
  if (compilation.kind === "compiled") return [];
  return compilation.findings.map(({ code, line, column }) => `${code} ${line}:${column}`);
}

/** One profile of a section, its lines given without indentation; its findings as `severity code line:column`. */
function findingsOf(section: "pipeline" | "organization", ...lines: string[]): string[] {
  const body = lines.map((line, index) => `${index === 0 ? "    - " : "      "}${line}\n`).join("");
  return inspectPolicy(compile(`${section}:\n  profiles:\n${body}`), () => true).findings.map(
    ({ severity, code, line, column }) => `${severity} ${code} ${line}:${column}`,
  );
}

describe("compileFile()", () => {
  test("compiles the example of the contract", () => {
    const { generation } = compile(`pipeline:
  defaults:
    permissions: ["contents:read"]
  profiles:
    - name: release-publisher
      match:
        - claim: build_branch
          value: main
      permissions: ["contents:write"]
organization:
  profiles:
    - name: buildkite-plugin
      repositories: [somewhat-private-buildkite-plugin, very-private-buildkite-plugin]
      permissions: ["contents:read"]
    - name: any-one-repository
      repositories: ["{{caller-scoped-repository}}"]
      permissions: ["contents:read"]
`);
    expect(generation).toMatchObject({
      digest: DIGEST,
      defaultPipelineProfile: {
        kind: "pipeline",
        name: "default",
        appName: "default",
        permissions: { names: ["contents:read", "metadata:read"] },
      },
    });
    expect([...generation.pipelineProfiles.keys()]).toEqual(["release-publisher"]);
    const publisher = generation.pipelineProfiles.get("release-publisher");
    expect(publisher).toMatchObject({
      kind: "pipeline",
      name: "release-publisher",
      appName: "default",
      permissions: { names: ["contents:write", "metadata:read"], request: { contents: "write", metadata: "read" } },
    });
    expect(publisher?.kind === "pipeline" && publisher.rules.evaluate(new Map([["build_branch", "main"]]))).toEqual({
      kind: "matched",
      matches: [{ claim: "build_branch", value: "main" }],
    });
    expect(generation.organizationProfiles.get("buildkite-plugin")).toMatchObject({
      kind: "organization",
      reach: { kind: "names", names: ["somewhat-private-buildkite-plugin", "very-private-buildkite-plugin"] },
    });
    expect(generation.organizationProfiles.get("any-one-repository")).toMatchObject({
      reach: { kind: "caller-scoped" },
    });
  });

  test("gives contents:read by default where the file names no default permissions", () => {
    for (const text of ["", "pipeline:\n", "pipeline:\n  defaults:\n    permissions: ~\n"]) {
      const { generation, declaresDefaults } = compile(text);
      expect(generation.defaultPipelineProfile.permissions.names).toEqual(["contents:read", "metadata:read"]);
      expect(declaresDefaults).toBe(false);
    }
  });

  test("gives the file's default permissions and no others", () => {
    const { generation, declaresDefaults } = compile("pipeline:\n  defaults:\n    permissions: [checks:write]\n");
    expect(generation.defaultPipelineProfile.permissions.names).toEqual(["checks:write", "metadata:read"]);
    expect(declaresDefaults).toBe(true);
  });

  test.each([
    ["[]", ["invalid-default-permissions 3:18"]],
    ["[contents]", ["invalid-default-permissions 3:19"]],
    [
      "[contents:read, nonsense:read, workflows:read]",
      ["invalid-default-permissions 3:34", "invalid-default-permissions 3:49"],
    ],
  ] as const)("refuses the whole file when the default permissions are %s", (list, expected) => {
    expect(refusals(`pipeline:\n  defaults:\n    permissions: ${list}\n`)).toEqual([...expected]);
  });

  test("one bad profile leaves the others in service", () => {
    const { generation } = compile(`pipeline:
  profiles:
    - {name: good, permissions: [contents:read]}
    - {name: bad, permissions: []}
`);
    expect(generation.pipelineProfiles.get("good")?.kind).toBe("pipeline");
    expect(generation.pipelineProfiles.get("bad")).toEqual({
      kind: "unavailable",
      name: "bad",
      reasons: ["permissions is empty; name at least one, like contents:read"],
    });
  });

  // The first one's rules may be the wider ones.
  test("of a repeated name none is available, whatever else is right with them", () => {
    const { generation, entries } = compile(`pipeline:
  profiles:
    - {name: twice, permissions: [contents:write]}
    - {name: twice, permissions: [contents:read], match: [{claim: pipeline_slug, value: a}]}
    - {name: Twice, permissions: [contents:read]}
organization:
  profiles:
    - {name: twice, permissions: [contents:read], repositories: [a]}
`);
    expect(generation.pipelineProfiles.get("twice")).toMatchObject({ kind: "unavailable" });
    expect(generation.pipelineProfiles.get("Twice")).toMatchObject({ kind: "pipeline" });
    expect(generation.organizationProfiles.get("twice")).toMatchObject({ kind: "organization" });
    expect(entries).toHaveLength(4);
  });

  test("a pipeline profile that calls itself default does not replace the default", () => {
    const { generation } = compile("pipeline:\n  profiles:\n    - {name: default, permissions: [contents:write]}\n");
    expect(generation.defaultPipelineProfile.permissions.names).toEqual(["contents:read", "metadata:read"]);
    expect(generation.pipelineProfiles.size).toBe(0);
  });

  test("an organization profile may be called default", () => {
    expect(findingsOf("organization", "name: default", "repositories: [a]", "permissions: [contents:read]")).toEqual(
      [],
    );
  });

  test("tells every reason at once", () => {
    expect(
      findingsOf(
        "organization",
        "name: a/b:c",
        "app: ''",
        "repositories: [acme/widget, '*']",
        "permissions: [content:read, contents]",
        "match:",
        "  - {claim: build_brnch, value: main}",
        "  - {claim: build_branch}",
        "  - {claim: build_branch, valuePattern: 'a)(b'}",
      ),
    ).toEqual([
      "error malformed-name 3:13",
      "error empty-app 4:12",
      "error literal-not-alone 5:35",
      "error unknown-permission 6:21",
      "error malformed-permission 6:35",
      "error unknown-claim 8:19",
      "error missing-match-value 9:11",
      "error invalid-pattern 10:47",
    ]);
  });
});

describe("a pipeline profile is unavailable", () => {
  const ok = "permissions: [contents:read]";
  test.each([
    ["without a name", [ok], ["error empty-name 3:7"]],
    ["with an empty name", ["name: ''", ok], ["error empty-name 3:13"]],
    ["called default", ["name: default", ok], ["error reserved-name 3:13"]],
    ["with a slash in its name", ["name: a/b", ok], ["error malformed-name 3:13"]],
    ["with a colon in its name", ["name: 'repo:a'", ok], ["error malformed-name 3:13"]],
    ["without permissions", ["name: a"], ["error empty-permissions 3:7"]],
    ["with null permissions", ["name: a", "permissions:"], ["error empty-permissions 3:7"]],
    ["with empty permissions", ["name: a", "permissions: []"], ["error empty-permissions 4:20"]],
    ["with an unknown permission", ["name: a", "permissions: [code:read]"], ["error unknown-permission 4:21"]],
    [
      "with an action GitHub lacks there",
      ["name: a", "permissions: [workflows:read]"],
      ["error unsupported-action 4:21"],
    ],
    ["with half a permission", ["name: a", "permissions: ['contents:']"], ["error malformed-permission 4:21"]],
    [
      "with one bad permission of two",
      ["name: a", "permissions: [contents:read, x]"],
      ["error malformed-permission 4:36"],
    ],
    ["with an empty app", ["name: a", ok, "app: ''"], ["error empty-app 5:12"]],
    ["with a rule without a claim", ["name: a", ok, "match: [{value: x}]"], ["error missing-claim 5:15"]],
    ["with a rule of an empty claim", ["name: a", ok, "match: [{claim: '', value: x}]"], ["error missing-claim 5:23"]],
    [
      "with a claim nobody may match on",
      ["name: a", ok, "match: [{claim: job_id, value: x}]"],
      ["error unknown-claim 5:23"],
    ],
    [
      "with an agent tag without a name",
      ["name: a", ok, "match: [{claim: 'agent_tag:', value: x}]"],
      ["error unknown-claim 5:23"],
    ],
    [
      "with white space in a tag's name",
      ["name: a", ok, "match: [{claim: 'agent_tag:a b', value: x}]"],
      ["error unknown-claim 5:23"],
    ],
    [
      "with neither value nor pattern",
      ["name: a", ok, "match: [{claim: build_tag}]"],
      ["error missing-match-value 5:15"],
    ],
    [
      "with an empty value",
      ["name: a", ok, "match: [{claim: build_tag, value: ''}]"],
      ["error missing-match-value 5:41"],
    ],
    [
      "with an empty pattern",
      ["name: a", ok, "match: [{claim: build_tag, valuePattern: ''}]"],
      ["error missing-match-value 5:48"],
    ],
    [
      "with both value and pattern",
      ["name: a", ok, "match: [{claim: build_tag, value: a, valuePattern: b}]"],
      ["error ambiguous-match-value 5:58"],
    ],
    [
      "with a pattern that leaves its group",
      ["name: a", ok, "match: [{claim: build_tag, valuePattern: 'a)(b'}]"],
      ["error invalid-pattern 5:48"],
    ],
  ] as const)("%s", (_name, lines, expected) => {
    expect(findingsOf("pipeline", ...lines)).toEqual([...expected]);
  });

  test.each([
    [[ok, "match: []"], ["warning empty-match 5:14"]],
    [["permissions: [contents:read, contents:write]"], ["warning repeated-permission 4:36"]],
    [[ok, "app: packages"], []],
    [[ok, "app: default"], []],
    [[ok, "app:"], []],
    [[ok, "match: [{claim: 'agent_tag:queue', valuePattern: 'a|b'}]"], []],
  ] as const)("but not with %j", (lines, expected) => {
    expect(findingsOf("pipeline", "name: a", ...lines)).toEqual([...expected]);
  });
});

describe("the repositories of an organization profile", () => {
  const reach = (list: string) => {
    const text = `organization:\n  profiles:\n    - name: a\n      permissions: [contents:read]\n      repositories: ${list}\n`;
    const profile = compile(text).generation.organizationProfiles.get("a");
    return profile?.kind === "organization" ? profile.reach : undefined;
  };
  const findings = (list: string) =>
    findingsOf("organization", "name: a", "permissions: [contents:read]", `repositories: ${list}`);

  test.each([
    ["[a]", { kind: "names", names: ["a"] }],
    ["[b, a, B]", { kind: "names", names: ["b", "a"] }],
    [`["${"n".repeat(100)}", .github, a..b, _]`, { kind: "names", names: ["n".repeat(100), ".github", "a..b", "_"] }],
    ["['{{all-repositories}}']", { kind: "all" }],
    ["['*']", { kind: "all" }],
    ["['{{caller-scoped-repository}}']", { kind: "caller-scoped" }],
  ] as const)("%s are read", (list, expected) => {
    expect(reach(list)).toEqual(expected as ReturnType<typeof reach>);
  });

  test("a deprecated or repeated entry is a warning", () => {
    expect(findings("['*']")).toEqual(["warning deprecated-wildcard 5:22"]);
    expect(findings("[b, a, B]")).toEqual(["warning repeated-repository 5:28"]);
  });

  // An empty list must never become every repository.
  test.each([
    ["[]", "empty-repositories"],
    ["", "empty-repositories"],
    ["['']", "malformed-repository"],
    ["[acme/widget]", "malformed-repository"],
    ["[widget.git]", "malformed-repository"],
    ["[widget.GIT]", "malformed-repository"],
    ["[.]", "malformed-repository"],
    ["[..]", "malformed-repository"],
    ["['a b']", "malformed-repository"],
    ["['a ']", "malformed-repository"],
    ["[é]", "malformed-repository"],
    ["['a*']", "malformed-repository"],
    [`["${"n".repeat(101)}"]`, "malformed-repository"],
    ["[a, '*']", "literal-not-alone"],
    ["['*', '*']", "literal-not-alone"],
    ["['{{all-repositories}}', a]", "literal-not-alone"],
    ["['{{all-repositories}}', '{{caller-scoped-repository}}']", "literal-not-alone"],
  ])("%s make it unavailable", (list, code) => {
    expect(reach(list)).toBeUndefined();
    expect(findings(list).map((one) => one.split(" ")[1])).toEqual([code]);
  });

  // Names that try to be literals: none of them reaches more than nothing.
  test.each([
    "{{ all-repositories }}",
    "{{All-Repositories}}",
    "{{all-repositories}} ",
    " {{all-repositories}}",
    "{all-repositories}",
    "{{all_repositories}}",
    "{{{all-repositories}}}",
    "**",
    "* ",
    "{{*}}",
    "%2A",
    "\uFF0A",
  ])("%j is no literal", (name) => {
    expect(reach(`[${JSON.stringify(name)}]`)).toBeUndefined();
  });
});

describe("inspectPolicy()", () => {
  const policy = compile(`pipeline:
  profiles:
    - {name: a, permissions: [contents:read]}
    - {name: b, permissions: [contents:read], app: packages}
    - {permissions: []}
organization:
  profiles:
    - {name: c, permissions: [nonsense], repositories: ['*'], app: packages}
`);

  test("names every invalid profile with every reason, those whose App is out of use included", () => {
    expect(inspectPolicy(policy, () => false)).toMatchObject({
      counts: { pipeline: { valid: 1, invalid: 2 }, organization: { valid: 0, invalid: 1 } },
      invalid: [
        { label: "repo:b", at: { line: 4 }, reasons: ['app "packages" is not a configured, enabled application'] },
        {
          label: "repo:",
          at: { line: 5 },
          reasons: ["the profile has no name", "permissions is empty; name at least one, like contents:read"],
        },
        {
          label: "org:c",
          at: { line: 8 },
          reasons: [
            'permission "nonsense" must be field:action',
            'app "packages" is not a configured, enabled application',
          ],
        },
      ],
    });
  });

  test("counts a profile as valid again when its App comes back", () => {
    const { counts, findings } = inspectPolicy(policy, (app) => app === "packages");
    expect(counts).toEqual({ pipeline: { valid: 2, invalid: 1 }, organization: { valid: 0, invalid: 1 } });
    expect(findings.map(({ code, profile }) => `${code} ${profile}`)).toEqual([
      "empty-name repo:",
      "empty-permissions repo:",
      "malformed-permission org:c",
      "deprecated-wildcard org:c",
    ]);
  });
});
