import { describe, expect, test } from "bun:test";
import * as v from "valibot";

const read = (path: string): Promise<string> => Bun.file(new URL(`../../${path}`, import.meta.url)).text();
const page = await read("docs/audit.md");
const source = await read("src/audit/entry.ts");

/** The parts that an entry is put together from; none is in the line by that name. */
const PARTS = new Set(["caller", "part", "asked", "resolved", "judged", "vended", "now"]);
const fields = [...source.matchAll(/readonly (\w+)\??:/g)]
  .map(([, name = ""]) => name)
  .filter((name) => !PARTS.has(name));
/** What the writer puts on every line. */
const STAMP = new Set(["level", "time", "type", "message", "instance", "sequence"]);
const example = /```json\n([^]*?)```/.exec(page)?.[1] ?? "";

describe("docs/audit.md", () => {
  test.each([...new Set(fields)])("explains %s", (name) => {
    expect(page.replace(example, "")).toMatch(new RegExp(`[\`.]${name}[\`.]`));
  });

  test.each(["audit_event", "mint_event", "revoke_event", "audit_refusals"])("explains the message %s", (message) => {
    expect(page).toContain(`| \`${message}\``);
  });

  test("shows an entry without a field that there is not", () => {
    const members = namesIn(v.parse(v.record(v.string(), v.unknown()), JSON.parse(example)));
    expect(members.length).toBeGreaterThan(35);
    expect(members.filter((name) => !fields.includes(name) && !STAMP.has(name))).toEqual([]);
  });
});

function namesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(namesIn);
  return Object.entries(value).flatMap(([name, inner]) => [name].concat(namesIn(inner)));
}
