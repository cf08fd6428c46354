import { describe, expect, test } from "bun:test";
import { parseReference } from "../../../src/profiles/reference.ts";
import { parseRepositoryScope } from "../../../src/profiles/scope.ts";

describe("parseReference()", () => {
  test.each([
    ["release", "pipeline", "release"],
    ["repo:release", "pipeline", "release"],
    ["repo:default", "pipeline", "default"],
    ["default", "pipeline", "default"],
    ["release", "organization", "release"],
    ["org:release", "organization", "release"],
    ["repo", "pipeline", "repo"],
    ["org", "pipeline", "org"],
    ["a/b", "pipeline", "a/b"],
    ["repo:a:b", "pipeline", "a:b"],
    [" ", "pipeline", " "],
  ] as const)("reads %j on %s routes", (text, route, name) => {
    expect(parseReference(text, route)).toEqual({ kind: "reference", reference: { kind: route, name } });
  });

  test.each([
    ["", "pipeline"],
    [":", "pipeline"],
    [":release", "pipeline"],
    ["repo:", "pipeline"],
    ["org:", "organization"],
    ["org:release", "pipeline"],
    ["repo:release", "organization"],
    ["Repo:release", "pipeline"],
    ["repo :release", "pipeline"],
    ["pipeline:release", "pipeline"],
    ["organization:release", "organization"],
    ["__proto__:release", "pipeline"],
    ["user:release", "organization"],
  ] as const)("refuses %j on %s routes, without repeating it", (text, route) => {
    const parsed = parseReference(text, route);
    expect(parsed.kind).toBe("malformed");
    if (text.length > 4) expect(JSON.stringify(parsed)).not.toContain("release");
  });
});

describe("parseRepositoryScope()", () => {
  test.each(["widget", "Widget", "a", ".github", "a.b-c_d", "...", "-", "git", "a.git.b", "n".repeat(100)])(
    "accepts %j as it is",
    (name) => expect(parseRepositoryScope(name)).toEqual({ kind: "repository", name }),
  );

  test.each([
    "",
    " ",
    "\t",
    "\u00A0",
    " widget",
    "widget ",
    "widget\n",
    "wid get",
    "wid\u0000get",
    "acme/widget",
    "/widget",
    "widget/",
    "\\widget",
    ".",
    "..",
    "widget.git",
    "widget.Git",
    ".git",
    "*",
    "{{all-repositories}}",
    "{{caller-scoped-repository}}",
    "wídget",
    "widget,gadget",
    "widget%20",
    "n".repeat(101),
  ])("refuses %j", (value) => {
    expect(parseRepositoryScope(value).kind).toBe("invalid");
  });
});
