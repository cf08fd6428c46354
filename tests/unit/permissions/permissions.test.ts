import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { findWiderPermission } from "../../../src/permissions/no-wider.ts";
import { parsePermission, type Permission } from "../../../src/permissions/permission.ts";
import { canWrite, createPermissionSet } from "../../../src/permissions/permission-set.ts";
import { PERMISSION_TABLE } from "../../../src/permissions/table.generated.ts";

const read: Permission = { field: "contents", action: "read" };
const write: Permission = { field: "contents", action: "write" };

describe("parsePermission()", () => {
  test("accepts every field with every action that GitHub's schema lists for it, and no other action", () => {
    for (const [field, accepted] of Object.entries(PERMISSION_TABLE)) {
      for (const action of ["read", "write", "admin"]) {
        const verdict = parsePermission(`${field}:${action}`).kind;
        expect(verdict).toBe((accepted as readonly string[]).includes(action) ? "permission" : "fault");
      }
    }
  });

  test.each([
    ["contents:read", "contents", "read"],
    ["workflows:write", "workflows", "write"],
    ["organization_projects:admin", "organization_projects", "admin"],
  ] as const)("reads %p", (text, field, action) => {
    expect(parsePermission(text)).toEqual({ kind: "permission", permission: { field, action } });
  });

  test.each([
    ["", "malformed"],
    ["contents", "malformed"],
    ["contents:", "malformed"],
    [":read", "malformed"],
    ["contents:read:", "malformed"],
    ["contents:read:write", "malformed"],
    ["content:read", "unknown-field"],
    ["Contents:read", "unknown-field"],
    [" contents:read", "unknown-field"],
    ["__proto__:read", "unknown-field"],
    ["constructor:name", "unknown-field"],
    ["contents:READ", "unsupported-action"],
    ["contents:read ", "unsupported-action"],
    ["contents:admin", "unsupported-action"],
    ["contents:length", "unsupported-action"],
    ["workflows:read", "unsupported-action"],
    ["organization_plan:write", "unsupported-action"],
  ] as const)("refuses %p as %s", (text, kind) => {
    expect(parsePermission(text)).toMatchObject({ kind: "fault", fault: { kind } });
  });
});

describe("the permission table", () => {
  test("is what the installed @octokit/openapi says", () => {
    const script = fileURLToPath(new URL("../../../scripts/generate-permissions.ts", import.meta.url));
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, script, "--check"]);
    expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  });
});

describe("createPermissionSet()", () => {
  test("adds metadata:read last when it is missing", () => {
    expect(createPermissionSet([write, { field: "issues", action: "read" }])).toEqual({
      names: ["contents:write", "issues:read", "metadata:read"],
      request: { contents: "write", issues: "read", metadata: "read" },
    });
  });

  test("leaves metadata where the profile has it", () => {
    const set = createPermissionSet([{ field: "metadata", action: "read" }, read]);
    expect(set.names).toEqual(["metadata:read", "contents:read"]);
  });

  test("asks once for a field that is named twice, with the wider action", () => {
    for (const permissions of [
      [read, write],
      [write, read],
    ]) {
      expect(createPermissionSet(permissions).request).toEqual({ contents: "write", metadata: "read" });
    }
  });
});

describe("findWiderPermission()", () => {
  const asked = { contents: "write", repository_projects: "admin", issues: "read" };

  test.each([
    [{}],
    [{ metadata: "read" }],
    [{ contents: "read", metadata: "read" }],
    [{ contents: "write", repository_projects: "write" }],
    [{ repository_projects: "admin" }],
    [{ issues: "read" }],
  ])("finds nothing in %j", (granted) => {
    expect(findWiderPermission(granted as Record<string, string>, asked)).toBeUndefined();
  });

  test.each([
    [{ contents: "admin" }, "contents:admin"],
    [{ metadata: "write" }, "metadata:write"],
    [{ issues: "write" }, "issues:write"],
    [{ contents: "read", actions: "read" }, "actions:read"],
    [{ contents: "owner" }, "contents:owner"],
    [{ contents: "" }, "contents:"],
    [{ nonsense: "read" }, "nonsense:read"],
    [{ constructor: "read" }, "constructor:read"],
    [JSON.parse('{"__proto__":"read"}'), "__proto__:read"],
  ])("finds in %j what was not asked for", (granted, excess) => {
    expect(findWiderPermission(granted, asked)).toBe(excess);
  });
});

describe("canWrite()", () => {
  test("is true for write and for admin, false for reading alone", () => {
    expect(canWrite(createPermissionSet([read]))).toBe(false);
    expect(canWrite(createPermissionSet([read, { field: "workflows", action: "write" }]))).toBe(true);
    expect(canWrite(createPermissionSet([{ field: "organization_projects", action: "admin" }]))).toBe(true);
  });
});
