import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { findWiderPermission } from "../../src/permissions/no-wider.ts";
import { parsePermission } from "../../src/permissions/permission.ts";
import { createPermissionSet } from "../../src/permissions/permission-set.ts";
import { PERMISSION_TABLE } from "../../src/permissions/table.generated.ts";
import { compileFile } from "../../src/profiles/compile.ts";
import { createMatchRules } from "../../src/profiles/matcher.ts";
import { compilePattern } from "../../src/profiles/pattern.ts";
import { parseReference } from "../../src/profiles/reference.ts";
import { parseRepositoryScope } from "../../src/profiles/scope.ts";

const DIGEST = "d".repeat(64);
const compileText = (text: string) => compileFile(new TextEncoder().encode(text), DIGEST);

const EXAMPLE = `pipeline:
  defaults: {permissions: &p ["contents:read"]}
  profiles:
    - name: a
      match: [{claim: build_branch, value: main}, {claim: "agent_tag:x", valuePattern: "a|b"}]
      permissions: *p
organization:
  profiles:
    - name: b
      repositories: ["{{all-repositories}}"]
      permissions: [contents:write]
`;

const permission = fc.constantFrom(
  ...Object.entries(PERMISSION_TABLE).flatMap(([field, actions]) => actions.map((action) => `${field}:${action}`)),
);
const repository = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
const slug = fc.stringMatching(/^[a-z0-9.-]{1,12}$/);
const cleanText = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((text) => !/[\p{White_Space}\p{Cc}]/u.test(text));

describe("compileFile()", () => {
  test("answers any bytes, and what it refuses it places inside the file", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const compilation = compileFile(bytes, DIGEST);
        if (compilation.kind === "refused") {
          expect(compilation.findings.length).toBeGreaterThan(0);
          for (const { line, column } of compilation.findings) expect(Math.min(line, column)).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("answers any text that was once a policy, with any piece of it cut, doubled or replaced", () => {
    const index = fc.nat(EXAMPLE.length);
    const piece = fc.constantFrom(
      "",
      "*p",
      "&p ",
      "!!str ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ": ",
      "\n",
      "\t",
      "'",
      '"',
      "---\n",
      "#",
      "~",
      "|\n",
      "\u0000",
      "é",
    );
    fc.assert(
      fc.property(index, index, piece, (from, to, inserted) => {
        const compilation = compileText(EXAMPLE.slice(0, from) + inserted + EXAMPLE.slice(to));
        expect(["compiled", "refused"]).toContain(compilation.kind);
      }),
      { numRuns: 5_000 },
    );
  });

  // JSON is YAML: what is written one way by machine must be read as it was meant.
  test("gives a profile exactly the permissions, repositories and App that the file names", () => {
    const profile = fc.record({
      permissions: fc.uniqueArray(permission, { minLength: 1, maxLength: 6, selector: (one) => one.split(":")[0] }),
      repositories: fc.oneof(
        fc.uniqueArray(repository, { minLength: 1, maxLength: 6, selector: (one) => one.toLowerCase() }),
        fc.constantFrom(["{{all-repositories}}"], ["*"], ["{{caller-scoped-repository}}"]),
      ),
      app: fc.option(slug, { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.dictionary(slug, profile, { maxKeys: 6, noNullPrototype: true }), (profiles) => {
        const organization = {
          profiles: Object.entries(profiles).map(([name, fields]) => Object.assign({ name }, fields)),
        };
        const compilation = compileText(JSON.stringify({ organization }, null, 2));
        if (compilation.kind === "refused") throw new Error(JSON.stringify(compilation.findings));
        const compiled = compilation.policy.generation.organizationProfiles;
        expect([...compiled.keys()].sort()).toEqual(Object.keys(profiles).sort());
        for (const [name, { permissions, repositories, app }] of Object.entries(profiles)) {
          const metadata = permissions.some((one) => one.startsWith("metadata:")) ? [] : ["metadata:read"];
          const literal = repositories[0]?.startsWith("{{caller") ? "caller-scoped" : "all";
          const isLiteral = /^[*{]/.test(repositories[0] ?? "");
          expect(compiled.get(name)).toMatchObject({
            kind: "organization",
            appName: app ?? "default",
            permissions: { names: [...permissions, ...metadata] },
            reach: isLiteral ? { kind: literal } : { kind: "names", names: repositories },
          });
        }
      }),
      { numRuns: 500 },
    );
  });

  test("makes nothing available that has a list entry of no known form", () => {
    const known = new Set<string>(
      Object.entries(PERMISSION_TABLE).flatMap(([field, actions]) => actions.map((action) => `${field}:${action}`)),
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), (entry, name) => {
        fc.pre(!known.has(entry));
        const profiles = [{ name: "p", permissions: ["contents:read", entry], repositories: ["a"] }];
        const compilation = compileText(JSON.stringify({ organization: { profiles } }));
        if (compilation.kind === "compiled") {
          expect(compilation.policy.generation.organizationProfiles.get("p")?.kind).toBe("unavailable");
        }
        const named = compileText(
          JSON.stringify({
            organization: { profiles: [{ name: "p", permissions: ["contents:read"], repositories: [name] }] },
          }),
        );
        if (named.kind === "compiled") {
          const legal = parseRepositoryScope(name).kind === "repository" || name === "*";
          const kind = named.policy.generation.organizationProfiles.get("p")?.kind;
          expect(kind).toBe(legal ? "organization" : "unavailable");
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("match rules", () => {
  test("hold exactly when every claim they name has the value they name", () => {
    const claim = fc.constantFrom("build_branch", "build_tag", "pipeline_slug", "agent_tag:queue");
    const few = fc.constantFrom("a", "b", "ab", "");
    fc.assert(
      fc.property(fc.array(fc.tuple(claim, few.filter(Boolean))), fc.dictionary(claim, few), (rules, claims) => {
        const outcome = createMatchRules(
          rules.map(([name, value]) => ({ claim: name, kind: "value", value })),
        ).evaluate(new Map(Object.entries(claims)));
        expect(outcome.kind).toBe(rules.every(([name, value]) => claims[name] === value) ? "matched" : "refused");
      }),
    );
  });

  test("alternatives match themselves and nothing around them", () => {
    fc.assert(
      fc.property(fc.array(cleanText, { minLength: 1, maxLength: 4 }), cleanText, (alternatives, other) => {
        const source = alternatives.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|");
        const compiled = compilePattern(source);
        if (compiled.kind === "invalid") throw new Error(`${source}: ${compiled.reason}`);
        for (const value of [...alternatives, other, ...alternatives.flatMap((one) => [one + other, other + one])]) {
          expect(compiled.pattern.matches(value)).toBe(alternatives.includes(value));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("parsers of what clients send", () => {
  test("parseReference() gives back what was written, or refuses it", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20 }),
        fc.constantFrom("pipeline" as const, "organization" as const),
        (text, route) => {
          const prefix = route === "pipeline" ? "repo:" : "org:";
          const parsed = parseReference(text, route);
          if (parsed.kind === "malformed") return expect(text === "" || text.includes(":")).toBe(true);
          expect(parsed.reference.kind).toBe(route);
          expect([parsed.reference.name, prefix + parsed.reference.name]).toContain(text);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("parseRepositoryScope() accepts a text as it is, and only of GitHub's letters", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "grapheme" }), repository, fc.constantFrom("*", "", " ", "a/b", ".git")),
        (value) => {
          const scope = parseRepositoryScope(value);
          if (scope.kind === "repository") expect(scope.name).toBe(value);
          expect(scope.kind === "repository").toBe(
            /^(?!\.{1,2}$)(?!.*\.git$)[\w.-]{1,100}$/i.test(value) && !/[^\x21-\x7e]/.test(value),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe("permissions", () => {
  test("a grant of what was asked for is never wider, and one field more always is", () => {
    fc.assert(
      fc.property(fc.array(permission, { minLength: 1, maxLength: 8 }), permission, (texts, extra) => {
        const parsed = texts.flatMap((text) => {
          const one = parsePermission(text);
          return one.kind === "permission" ? [one.permission] : [];
        });
        const { request, names } = createPermissionSet(parsed);
        expect(names).toEqual(Object.entries(request).map(([field, action]) => `${field}:${action}`));
        expect(findWiderPermission(request, request)).toBeUndefined();
        const [field = "", action = ""] = extra.split(":");
        const isMore = findWiderPermission({ [field]: action }, request) !== undefined;
        const order = ["read", "write", "admin"];
        expect(isMore).toBe(order.indexOf(action) > order.indexOf(request[field] ?? ""));
      }),
      { numRuns: 2_000 },
    );
  });
});
