import { describe, expect, test } from "bun:test";
import { formatHeldPermissions, parseHeldPermissions } from "../../../src/permissions/held-permissions.ts";
import { isOrganizationPermission } from "../../../src/permissions/organization-permission.ts";
import { listPermissions, parsePermission } from "../../../src/permissions/permission.ts";

describe("held permissions", () => {
  test("come back from their file as they went", () => {
    const held = new Map([
      ["default", { contents: "write", metadata: "read" }],
      ["__proto__", { issues: "read" }],
      ["none", {}],
    ]);
    expect(parseHeldPermissions(formatHeldPermissions(held))?.get("default")).toEqual({
      contents: "write",
      metadata: "read",
    });
    expect(parseHeldPermissions(formatHeldPermissions(held))?.get("none")).toEqual({});
  });

  test.each(["", "null", "[]", "{}", '{"apps":[]}', '{"apps":{"a":{}}}', '{"apps":{"a":{"permissions":{"x":1}}}}'])(
    "are not read from %j",
    (text) => {
      expect(parseHeldPermissions(text)).toBeUndefined();
    },
  );
});

describe("isOrganizationPermission()", () => {
  // GitHub's page of permissions lists these under "Organization permissions" and "Enterprise permissions".
  test.each(["members", "organization_administration", "organization_secrets", "custom_properties_for_organizations"])(
    "is true of %s",
    (field) => {
      expect(isOrganizationPermission(field)).toBe(true);
    },
  );

  test.each(["contents", "metadata", "repository_hooks", "secrets", "administration", "repository_custom_properties"])(
    "is false of %s",
    (field) => {
      expect(isOrganizationPermission(field)).toBe(false);
    },
  );
});

test("listPermissions() lists what parsePermission() reads, each once", () => {
  const all = listPermissions();
  expect(new Set(all).size).toBe(all.length);
  expect(all.every((text) => parsePermission(text).kind === "permission")).toBe(true);
  expect(all).toContain("contents:write");
});
