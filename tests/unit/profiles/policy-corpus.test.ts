import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkFile } from "../../../src/profiles/check-file.ts";
import type { Finding } from "../../../src/profiles/finding.ts";
import { REMEDIES } from "../../../src/profiles/remedies.ts";

const FOLDER = join(import.meta.dir, "../../vectors/policies");
const TABLE: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(join(FOLDER, "findings.json"), "utf8"),
);
const CONTEXT = {
  isAppUsable: (name: string) => name === "writer",
  policyRepository: "policy",
  held: new Map([
    [
      "default",
      {
        contents: "write",
        issues: "write",
        pull_requests: "write",
        checks: "write",
        workflows: "write",
        organization_administration: "write",
        packages: "read",
        members: "read",
      },
    ],
    ["writer", { contents: "write" }],
  ]),
};

describe("a policy file", () => {
  test.each(Object.entries(TABLE))("%s is told exactly what there is to say about it", (name, expected) => {
    const { findings, counts } = checkFile(readFileSync(join(FOLDER, name)), CONTEXT);
    expect(findings.map(describeFinding)).toEqual([...expected]);
    expect(counts === undefined).toBe(name.startsWith("broken-"));
    expect(findings.every(({ severity }) => severity === "warning")).toBe(/^(good|dangerous)-(?!and-un)/.test(name));
  });

  test("has a row in the table", () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
    expect(files.sort()).toEqual(Object.keys(TABLE).sort());
    expect(files.length).toBeGreaterThanOrEqual(60);
  });

  test("provokes every code, but for a size and what is said of cases", () => {
    const provoked = new Set(
      Object.values(TABLE)
        .flat()
        .map((row) => row.split(" ")[2]),
    );
    const missing = Object.keys(REMEDIES).filter((code) => !provoked.has(code));
    expect(missing).toEqual(["file-too-large", "invalid-case"]);
  });
});

function describeFinding({ line, column, severity, code, profile }: Finding): string {
  return [`${line}:${column}`, severity, code, ...(profile === undefined ? [] : [profile])].join(" ");
}
