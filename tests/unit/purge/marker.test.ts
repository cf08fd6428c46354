import { describe, expect, test } from "bun:test";
import { claimName } from "../../../src/cache/turn.ts";
import { MARKER_KEY, MOST_PURGES, parseMarker, renderMarker } from "../../../src/purge/marker.ts";

const ID = "0190aaaa-0000-4000-8000-000000000001";
const all = { id: ID, scope: { kind: "all" }, issuedBeforeEpochSeconds: 1_768_260_000 } as const;
const marker = (purges: readonly unknown[], version: unknown = 1): string => JSON.stringify({ version, purges });
const scoped = (scope: unknown): string => marker([{ ...all, scope }]);

describe("parseMarker()", () => {
  test.each([
    ["no purge", []],
    ["all", [all]],
    ["a profile of either kind", [{ ...all, scope: { kind: "profile", name: "release" } }]],
    ["a profile of one kind", [{ ...all, scope: { kind: "profile", name: "x", profileKind: "organization" } }]],
    ["a pipeline", [{ ...all, scope: { kind: "pipeline", pipelineId: ID } }]],
    ["an App", [{ ...all, scope: { kind: "app", appId: 1, installationId: 2 } }]],
  ] as const)("reads what renderMarker() writes: %s", (_what, purges) => {
    expect(parseMarker(renderMarker(purges))).toEqual(purges);
  });

  // The form in the store, which other versions of the service read.
  test("reads the form of version 1", () => {
    const text = `{"version":1,"purges":[{"id":"${ID}","scope":{"kind":"all"},"issuedBeforeEpochSeconds":1768260000}]}`;
    expect(parseMarker(text)).toEqual([all]);
    expect(renderMarker([all])).toBe(text);
  });

  test.each([
    ["nothing", ""],
    ["no JSON", "{"],
    ["null", "null"],
    ["a list", "[]"],
    ["another version", marker([all], 2)],
    ["no version", JSON.stringify({ purges: [all] })],
    ["a version in words", marker([all], "1")],
    ["no purges", JSON.stringify({ version: 1 })],
    ["another field", JSON.stringify({ version: 1, purges: [all], more: 1 })],
    ["a purge that is none", marker([null])],
    ["a purge with another field", marker([{ ...all, more: 1 }])],
    ["no id", marker([{ ...all, id: undefined }])],
    ["an id that is none", marker([{ ...all, id: "1" }])],
    ["no time", marker([{ ...all, issuedBeforeEpochSeconds: undefined }])],
    ["a time in words", marker([{ ...all, issuedBeforeEpochSeconds: "1768260000" }])],
    ["a broken time", marker([{ ...all, issuedBeforeEpochSeconds: 1.5 }])],
    ["a time before 1970", marker([{ ...all, issuedBeforeEpochSeconds: -1 }])],
    ["a time past every clock", marker([{ ...all, issuedBeforeEpochSeconds: 2 ** 53 }])],
    ["no scope", scoped(undefined)],
    ["a scope in words", scoped("all")],
    ["an unknown scope", scoped({ kind: "branch", name: "main" })],
    ["all of something", scoped({ kind: "all", name: "x" })],
    ["a profile without a name", scoped({ kind: "profile", name: "" })],
    ["a profile with a long name", scoped({ kind: "profile", name: "x".repeat(513) })],
    ["a profile of an unknown kind", scoped({ kind: "profile", name: "x", profileKind: "repo" })],
    ["a pipeline by its slug", scoped({ kind: "pipeline", slug: "widget" })],
    ["an App without installation", scoped({ kind: "app", appId: 1 })],
    ["an App in words", scoped({ kind: "app", appId: "1", installationId: 2 })],
    ["App 0", scoped({ kind: "app", appId: 0, installationId: 2 })],
    ["more purges than there may be", marker(Array.from({ length: MOST_PURGES + 1 }, () => all))],
    ["one good purge beside a bad one", marker([all, { ...all, scope: {} }])],
  ])("refuses %s", (_what, text) => {
    expect(parseMarker(text)).toBeUndefined();
  });
});

test("the marker's name is no entry's and no claim's, whatever the prefix", () => {
  const afterLastColon = MARKER_KEY.slice(MARKER_KEY.lastIndexOf(":") + 1);
  expect(afterLastColon).toBe("purged");
  expect(claimName(MARKER_KEY)).not.toBe(MARKER_KEY);
});
