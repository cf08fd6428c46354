import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { REMEDIES } from "../../src/doctor/remedies.ts";
import { REFUSALS } from "../../src/http/error-response.ts";

const ROOT = join(import.meta.dir, "../..");
const page = read("docs/errors.md");

/** Source files of the service, tests' simulator apart. */
const SOURCES = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts") && !path.startsWith("simulator/"))
  .map((path) => ({ path, text: withoutComments(read(`src/${path}`)) }));

const STRING = /"([^"\\]*(?:\\.[^"\\]*)*)"/g;

/** Every code that the source gives an error: the words of the types that say so, and what errors are made with. */
const CODES = [
  ...SOURCES.flatMap(({ path, text }) => {
    const types = [...text.matchAll(/\btype \w*(?:Code|FailureReason)\s*=([^;]*);/g)].flatMap((type) =>
      stringsIn(type[1]),
    );
    const made = [...text.matchAll(/\bnew \w+(?:Error|Fault|Failure)\(\s*"([a-z][a-z-]*)",/g)].map(
      ([, code]) => code ?? "",
    );
    const classes = [...text.matchAll(/\bextends BridgeError<"([a-z-]+)">/g)].map(([, code]) => code ?? "");
    const lines = [...text.matchAll(/\bwithNextStep\(\s*(?:"[^"]*"|`[^`]*`|\w+),\s*"([a-z-]+)"/g)].map(
      ([, code]) => code ?? "",
    );
    const shown = [...text.matchAll(/\[([a-z]+(?:-[a-z]+)+)\]`/g)].map(([, code]) => code ?? "");
    return [...types, ...made, ...classes, ...lines, ...shown]
      .filter((code) => code !== "usage")
      .map((code) => ({ code, folder: path.split("/")[0] ?? "" }));
  }),
  ...Object.keys(REMEDIES).map((code) => ({ code, folder: "doctor" })),
];

/** Where a folder has a page of its own for its codes. Everything else is in docs/errors.md. */
const OWN_PAGES: Readonly<Record<string, string>> = {
  valkey: "docs/valkey.md",
  profiles: "docs/profiles.md",
  iamcacheauth: "src/iamcacheauth/README.md",
};

describe("docs/errors.md", () => {
  test("the search finds the codes that are known to be there, so that it cannot find none", () => {
    const found = new Set(CODES.map(({ code }) => code));
    for (const code of ["upstream-refused", "keyset-absent", "key-is-primary", "scope-required", "yaml-tag", "noperm"])
      expect(found).toContain(code);
    for (const code of [
      "over-budget",
      "no-region",
      "output-stuck",
      "file-unreadable",
      "port-unusable",
      "invalid-token",
    ])
      expect(found).toContain(code);
    expect(found.size).toBeGreaterThan(180);
  });

  test.each([...new Map(CODES.map((one) => [`${one.folder} ${one.code}`, one])).values()])(
    "the page of $folder's $code tells what to do",
    ({ code, folder }) => {
      const own = OWN_PAGES[folder];
      const isElsewhere = own !== undefined && read(own).includes(`\`${code}\``);
      const words = rowsOf(code)[0]?.at(-1)?.split(" ").length ?? 0;
      expect(isElsewhere || words >= 2).toBe(true);
    },
  );

  test.each(Object.entries(REFUSALS))(
    "%s has the status and the message that callers get",
    (code, { status, message }) => {
      expect(rowsIn("What a job is told").get(code)?.slice(1, 3)).toEqual([String(status), message]);
    },
  );

  test.each(Object.entries(REMEDIES))("doctor's %s has the remedy that doctor shows", (code, remedy) => {
    expect(rowsIn("What doctor finds").get(code)?.[2]).toBe(remedy);
  });

  test("tells of no code twice in a section, and of none that the source does not have", () => {
    const known = new Set(CODES.map(({ code }) => code));
    const strange = SECTIONS.flatMap((section) => [...rowsIn(section).keys()]).filter((code) => !known.has(code));
    expect(strange).toEqual([]);
    for (const section of SECTIONS) {
      const codes = tableOf(section).map(([code]) => code);
      expect(codes).toEqual([...new Set(codes)]);
    }
  });
});

describe("what configuration says of a variable", () => {
  const wordings = [
    ...new Set(
      SOURCES.filter(({ path }) => path.startsWith("config/")).flatMap(({ text }) =>
        [
          ...text.matchAll(/(?:\brefused\(|\brefuse\([\w.]+,|\bproblem: |secretWithout\([^,]*,)\s*("[^"]*"|`[^`]*`)/g),
        ].map(([, words = ""]) => words.slice(1, -1).replace(/\$\{[^}]*\}/g, "…")),
      ),
    ),
  ];

  test("is found by the search", () => {
    expect(wordings).toContain("is required");
    expect(wordings.length).toBeGreaterThan(35);
  });

  test.each(wordings)("has a row in docs/errors.md: %s", (wording) => {
    expect(tableOf("What is wrong with a variable").map(([says]) => says)).toContain(wording);
  });
});

const SECTIONS = ["What a job is told", "What ends a start, or a command", "What doctor finds"] as const;

function rowsOf(code: string): readonly (readonly string[])[] {
  return SECTIONS.flatMap((section) => {
    const row = rowsIn(section).get(code);
    return row === undefined ? [] : [row];
  });
}

function rowsIn(section: string): ReadonlyMap<string, readonly string[]> {
  return new Map(tableOf(section).map((cells) => [cells[0]?.replaceAll("`", "") ?? "", cells]));
}

/** The rows of a section's table, without its head. */
function tableOf(section: string): readonly (readonly string[])[] {
  const [, after = ""] = page.split(`\n## ${section}\n`);
  const [body = ""] = after.split("\n## ");
  const rows = body.split("\n").filter((line) => line.startsWith("|"));
  return rows.slice(2).map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|")),
  );
}

function stringsIn(text = ""): readonly string[] {
  return [...text.matchAll(STRING)].map(([, value]) => value ?? "");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}
