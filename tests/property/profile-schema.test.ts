import { describe, expect, test } from "bun:test";
import Ajv from "ajv";
import * as fc from "fast-check";
import { parsePermission } from "../../src/permissions/permission.ts";
import { checkFile } from "../../src/profiles/check-file.ts";
import { MATCHABLE_CLAIMS } from "../../src/profiles/claim.ts";
import { createProfileFileSchema } from "../../src/profiles/json-schema.ts";

const validate = new Ajv({ strict: true, strictTypes: false }).compile(createProfileFileSchema());

/** What no schema can see. */
const BEYOND_SCHEMAS = new Set(["repeated-name", "invalid-pattern"]);

/** Whether the service takes the whole document with every profile in it. */
function isTaken(value: unknown): boolean {
  // As an escape: no YAML file may hold the character itself.
  const bytes = new TextEncoder().encode(JSON.stringify(value).replaceAll("\uFEFF", "\\uFEFF"));
  const { findings } = checkFile(bytes, { isAppUsable: () => true });
  return findings.every(({ severity, code }) => severity === "warning" || BEYOND_SCHEMAS.has(code));
}

/** Mostly what is right there, sometimes what a person might write by mistake, sometimes anything. */
function mostly<T>(right: fc.Arbitrary<T>, ...wrong: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: right },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(...wrong, null, "", 7, true, [], {}) },
  );
}
/** A map of these fields, of which some may be missing, and now and then one too many. */
function fields(of: Readonly<Record<string, fc.Arbitrary<unknown>>>, required: readonly string[]) {
  const record = fc.record(of, { requiredKeys: [...required], noNullPrototype: true });
  const dropped = fc.tuple(record, fc.constantFrom(...required, "extra")).map(([value, key]) => {
    const { [key]: _, ...rest } = value;
    return key === "extra" ? Object.assign(rest, { extra: 1 }) : rest;
  });
  return mostly(fc.oneof({ weight: 12, arbitrary: record }, { weight: 1, arbitrary: dropped }));
}

const permission = mostly(
  fc.constantFrom("contents:read", "contents:write", "workflows:write", "organization_plan:read"),
  "contents",
  "contents:admin",
  "workflows:read",
  "Contents:read",
  "pull-requests:read",
  " contents:read",
);
const permissions = mostly(fc.array(permission, { minLength: 1, maxLength: 3 }), ["contents:read", null]);
const claim = mostly(
  fc.constantFrom(...MATCHABLE_CLAIMS, "agent_tag:queue", "agent_tag:é字"),
  "agent_tag:",
  "agent_tag:a b",
  "agent_tag:\u0085",
  "agent_tag:\u2003",
  "agent_tag:\u3000",
  "agent_tag:\u007F",
  "agent_tag:\uFEFF",
  "agent_tag:\u{1F600}",
  "step_key",
  "Build_branch",
);
const wanted = mostly(fc.constantFrom("main", "v.*", " "), "a)(b");
const rule = fc.oneof(
  { weight: 4, arbitrary: fields({ claim, value: wanted }, ["claim", "value"]) },
  { weight: 4, arbitrary: fields({ claim, valuePattern: wanted }, ["claim", "valuePattern"]) },
  { weight: 1, arbitrary: fields({ claim, value: wanted, valuePattern: wanted }, ["claim"]) },
);
const common = {
  name: mostly(fc.constantFrom("a", "b", "two words", "größe"), "default", "a/b", "repo:a", "x\n"),
  permissions,
  match: mostly(fc.array(rule, { maxLength: 3 })),
  app: mostly(fc.constantFrom("default", "writer")),
};
const repositories = mostly(
  fc.oneof(
    fc.array(
      mostly(
        fc.constantFrom("widget", "a.b", ".github", "x_y-z", "gitx.git.x"),
        "acme/widget",
        "widget.git",
        "w.GIT",
        ".",
        "..",
        "...",
        "w\n",
        "é",
        "n".repeat(100),
        "n".repeat(101),
        "{{all-repositories}}",
        "*",
      ),
      { minLength: 1, maxLength: 3 },
    ),
    fc.constantFrom(["{{all-repositories}}"], ["{{caller-scoped-repository}}"], ["*"], ["{{ all-repositories }}"]),
  ),
);
const document = fields(
  {
    pipeline: fields(
      {
        defaults: fields({ permissions }, []),
        profiles: mostly(fc.array(fields(common, ["name", "permissions"]), { maxLength: 2 })),
      },
      [],
    ),
    organization: fields(
      {
        profiles: mostly(
          fc.array(fields({ ...common, repositories }, ["name", "permissions", "repositories"]), { maxLength: 2 }),
        ),
      },
      [],
    ),
  },
  [],
);

describe("the JSON Schema of the profile file", () => {
  test("takes exactly the documents that the service takes with every profile in them", () => {
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(document, (generated) => {
        const taken = isTaken(generated);
        seen[taken ? "taken" : "refused"] += 1;
        expect([validate(generated), validate.errors?.[0]]).toEqual([taken, taken ? undefined : expect.anything()]);
      }),
      { numRuns: 10_000 },
    );
    expect(seen.taken).toBeGreaterThan(1_000);
    expect(seen.refused).toBeGreaterThan(1_000);
  }, 60_000);

  test("takes exactly the texts that are permissions", () => {
    const list = (text: string) => ({ pipeline: { defaults: { permissions: [text] } } });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z_]{4,12}:(read|write|admin)$/)), (text) => {
        expect(validate(list(text))).toBe(parsePermission(text).kind === "permission");
      }),
    );
  });

  test("has patterns without the escapes that Python's validators refuse the whole schema for", () => {
    const patterns = [...JSON.stringify(createProfileFileSchema()).matchAll(/"pattern":"((?:[^"\\]|\\.)*)"/g)];
    expect(patterns.length).toBeGreaterThan(2);
    for (const [, pattern = ""] of patterns) expect(pattern).not.toMatch(/\\\\[^u.]/);
  });

  test("is a schema of draft 7 that ajv compiles in strict mode, with a description of what each part is", () => {
    const schema = createProfileFileSchema();
    expect(new Ajv().validateSchema(schema)).toBe(true);
    expect(schema["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
  });
});
