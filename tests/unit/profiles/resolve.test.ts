import { describe, expect, test } from "bun:test";
import { compileFile } from "../../../src/profiles/compile.ts";
import { defaultPolicy } from "../../../src/profiles/default-policy.ts";
import type { PolicyGeneration } from "../../../src/profiles/policy.ts";
import { resolveOrganizationProfile, resolvePipelineProfile } from "../../../src/profiles/resolve.ts";

const generation = compile(`pipeline:
  profiles:
    - {name: plain, permissions: [contents:read]}
    - {name: packages, permissions: [packages:read], app: packages}
    - {name: broken, permissions: [nonsense], app: packages}
    - {name: twice, permissions: [contents:read]}
    - {name: twice, permissions: [contents:read]}
organization:
  profiles:
    - {name: shared, permissions: [contents:read], repositories: [a]}
    - {name: packages, permissions: [packages:read], repositories: [a], app: packages}
`);

function compile(text: string): PolicyGeneration {
  const compilation = compileFile(new TextEncoder().encode(text), "d".repeat(64));
  if (compilation.kind === "refused") throw new Error(JSON.stringify(compilation.findings));
  return compilation.policy.generation;
}

const never = () => false;
const always = () => true;

describe("resolving a profile", () => {
  test("finds it in its own section alone", () => {
    expect(resolvePipelineProfile(generation, "plain", never)).toMatchObject({
      kind: "found",
      profile: { name: "plain" },
    });
    expect(resolveOrganizationProfile(generation, "shared", never)).toMatchObject({ kind: "found" });
    expect(resolvePipelineProfile(generation, "shared", always)).toEqual({ kind: "not-found" });
    expect(resolveOrganizationProfile(generation, "plain", always)).toEqual({ kind: "not-found" });
  });

  test.each(["", "Plain", "plain ", "__proto__", "constructor", "default:x"])("finds nothing called %j", (name) => {
    expect(resolvePipelineProfile(generation, name, always)).toEqual({ kind: "not-found" });
  });

  test("always finds the default pipeline profile, and no default organization profile", () => {
    for (const policy of [generation, defaultPolicy]) {
      expect(resolvePipelineProfile(policy, "default", never)).toEqual({
        kind: "found",
        profile: policy.defaultPipelineProfile,
      });
      expect(resolveOrganizationProfile(policy, "default", always)).toEqual({ kind: "not-found" });
    }
  });

  test("asks at every request whether the App is in use, and never falls back to another", () => {
    const usable = new Set(["packages"]);
    const resolve = () => resolveOrganizationProfile(generation, "packages", (name) => usable.has(name));
    expect(resolve()).toMatchObject({ kind: "found", profile: { appName: "packages" } });
    usable.delete("packages");
    expect(resolve()).toEqual({
      kind: "unavailable",
      message: 'profile "packages" unavailable: app "packages" is not a configured, enabled application',
      reasons: ['app "packages" is not a configured, enabled application'],
    });
    usable.add("packages");
    expect(resolve()).toMatchObject({ kind: "found" });
  });

  test("never asks about the default App", () => {
    const ask = () => {
      throw new Error("asked");
    };
    expect(resolvePipelineProfile(generation, "plain", ask).kind).toBe("found");
  });

  test("tells why a profile is unavailable", () => {
    expect(resolvePipelineProfile(generation, "broken", always)).toEqual({
      kind: "unavailable",
      message: 'profile "broken" unavailable: permission "nonsense" must be field:action',
      reasons: ['permission "nonsense" must be field:action'],
    });
    expect(resolvePipelineProfile(generation, "twice", always)).toEqual({
      kind: "unavailable",
      message: 'profile "twice" unavailable: the name "twice" is used more than once, so none of them counts',
      reasons: ['the name "twice" is used more than once, so none of them counts'],
    });
  });
});
