import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readDocument, type DocumentReading } from "../../../src/profiles/document.ts";
import { MAX_PROFILE_FILE_BYTES } from "../../../src/profiles/source-text.ts";

function read(text: string): DocumentReading {
  return readDocument(new TextEncoder().encode(text));
}

function documentOf(text: string) {
  const reading = read(text);
  if (reading.kind === "refused") throw new Error(JSON.stringify(reading.findings));
  return reading.document;
}

/** `code line:column` of every finding. */
function refusals(source: string | Uint8Array): string[] {
  const reading = typeof source === "string" ? read(source) : readDocument(source);
  if (reading.kind === "document") return [];
  return reading.findings.map(({ code, line, column }) => `${code} ${line}:${column}`);
}

const EXAMPLE = `pipeline:
  defaults:
    permissions: ["contents:read"]
  profiles:
    - name: release-publisher
      match:
        - claim: build_branch
          value: main
      permissions: ["contents:write"]
organization:
  profiles:
    - name: any-one-repository
      repositories: ["{{caller-scoped-repository}}"]
      permissions:
        - contents:read
      app: packages
`;

describe("readDocument()", () => {
  test("keeps the place of every value", () => {
    expect(documentOf(EXAMPLE)).toEqual({
      defaultPermissions: {
        at: { line: 3, column: 18 },
        value: [{ at: { line: 3, column: 19 }, value: "contents:read" }],
      },
      pipelineProfiles: [
        {
          at: { line: 5, column: 7 },
          name: { at: { line: 5, column: 13 }, value: "release-publisher" },
          permissions: {
            at: { line: 9, column: 20 },
            value: [{ at: { line: 9, column: 21 }, value: "contents:write" }],
          },
          match: {
            at: { line: 7, column: 9 },
            value: [
              {
                at: { line: 7, column: 11 },
                claim: { at: { line: 7, column: 18 }, value: "build_branch" },
                value: { at: { line: 8, column: 18 }, value: "main" },
              },
            ],
          },
        },
      ],
      organizationProfiles: [
        {
          at: { line: 12, column: 7 },
          name: { at: { line: 12, column: 13 }, value: "any-one-repository" },
          repositories: {
            at: { line: 13, column: 21 },
            value: [{ at: { line: 13, column: 22 }, value: "{{caller-scoped-repository}}" }],
          },
          permissions: {
            at: { line: 15, column: 9 },
            value: [{ at: { line: 15, column: 11 }, value: "contents:read" }],
          },
          app: { at: { line: 16, column: 12 }, value: "packages" },
        },
      ],
    });
  });

  test("reads the same with a byte-order mark, with CRLF, and between document markers", () => {
    const plain = documentOf(EXAMPLE);
    expect(documentOf(`\uFEFF${EXAMPLE}`)).toEqual(plain);
    expect(documentOf(EXAMPLE.replaceAll("\n", "\r\n"))).toEqual(plain);
    expect(documentOf(`${EXAMPLE}...\n`)).toEqual(plain);
    expect(documentOf(`---\n${EXAMPLE}`).pipelineProfiles[0]?.name?.value).toBe("release-publisher");
    expect(documentOf(`%YAML 1.2\n---\n${EXAMPLE}`).pipelineProfiles[0]?.name?.value).toBe("release-publisher");
  });

  test.each([
    "",
    "\n\n",
    "# nothing yet\n",
    "---\n",
    "null",
    "{}",
    "pipeline:\n",
    "pipeline: ~\norganization: null\n",
    "pipeline: {}\norganization: {}\n",
    "pipeline:\n  defaults:\n  profiles:\n",
    "pipeline:\n  defaults:\n    permissions:\n  profiles: []\n",
    "organization:\n  profiles: []\n",
  ])("takes %j for a policy without profiles", (text) => {
    expect(read(text)).toEqual({ kind: "document", document: { pipelineProfiles: [], organizationProfiles: [] } });
  });

  test("counts a null field as absent and keeps an empty one", () => {
    const [profile] = documentOf(
      "pipeline:\n  profiles:\n    - name: ''\n      app:\n      permissions: []\n      match: []\n",
    ).pipelineProfiles;
    expect(profile).toEqual({
      at: { line: 3, column: 7 },
      name: { at: { line: 3, column: 13 }, value: "" },
      permissions: { at: { line: 5, column: 20 }, value: [] },
      match: { at: { line: 6, column: 14 }, value: [] },
    });
  });

  test("takes what looks like other types in other YAML versions for text", () => {
    const names = ["yes", "on", "2026-01-12", "1_000", "0b11", "1:30"];
    const text = `organization:\n  profiles:\n    - repositories: [${names.join(", ")}]\n`;
    expect(documentOf(text).organizationProfiles[0]?.repositories?.value.map(({ value }) => value)).toEqual(names);
  });

  test("reads every value behind an alias where its anchor is", () => {
    const text = `pipeline:
  defaults:
    permissions: &read
      - contents:read
  profiles:
    - name: a
      permissions: *read
    - name: b
      permissions: *read
`;
    const { pipelineProfiles } = documentOf(text);
    for (const profile of pipelineProfiles) {
      expect(profile.permissions?.value).toEqual([{ at: { line: 4, column: 9 }, value: "contents:read" }]);
    }
    expect(pipelineProfiles).toHaveLength(2);
  });
});

describe("readDocument() refuses the whole file", () => {
  test.each([
    ["broken YAML", "pipeline: [", ["yaml-syntax 1:12"]],
    ["an open quote", "pipeline: 'x", ["yaml-syntax 1:13"]],
    ["indentation by tab", "pipeline:\n\tprofiles: []\n", ["yaml-syntax 2:1"]],
    ["a stray bracket", "]", ["yaml-syntax 1:1"]],
    ["text", "just text", ["wrong-type 1:1"]],
    ["a list", "- pipeline", ["wrong-type 1:1"]],
    ["a section that is a list", "pipeline: []", ["wrong-type 1:11"]],
    ["a section that is text", "organization: all", ["wrong-type 1:15"]],
    ["profiles that are a map", "pipeline:\n  profiles:\n    a: {}\n", ["wrong-type 3:5"]],
    ["a profile that is text", "pipeline:\n  profiles: [release]", ["wrong-type 2:14"]],
    ["a profile that is nothing", "pipeline:\n  profiles:\n    -\n", ["wrong-type 3:6"]],
    ["a number for a name", "pipeline:\n  profiles: [{name: 42}]", ["wrong-type 2:21"]],
    ["a boolean for a value", "pipeline:\n  profiles: [{match: [{value: true}]}]", ["wrong-type 2:31"]],
    ["a list for a value", "pipeline:\n  profiles: [{match: [{value: [a]}]}]", ["wrong-type 2:31"]],
    ["text for permissions", "pipeline:\n  defaults: {permissions: contents:read}", ["wrong-type 2:27"]],
    ["a null in permissions", "pipeline:\n  defaults:\n    permissions: [~]\n", ["wrong-type 3:19"]],
    ["a map for match", "pipeline:\n  profiles: [{match: {claim: a}}]", ["wrong-type 2:22"]],
    ["an unknown section", "pipelines: {}", ["unknown-key 1:1"]],
    ["another case", "Pipeline: {}", ["unknown-key 1:1"]],
    ["an unknown key of defaults", "pipeline:\n  defaults: {match: []}", ["unknown-key 2:14"]],
    ["an App for the defaults", "pipeline:\n  defaults: {app: packages}", ["unknown-key 2:14"]],
    ["defaults of organization", "organization:\n  defaults: {}", ["unknown-key 2:3"]],
    ["an unknown key of a profile", "pipeline:\n  profiles: [{nmae: a}]", ["unknown-key 2:15"]],
    ["repositories of a pipeline profile", "pipeline:\n  profiles: [{repositories: [a]}]", ["unknown-key 2:15"]],
    ["an unknown key of a rule", "pipeline:\n  profiles: [{match: [{pattern: a}]}]", ["unknown-key 2:24"]],
    ["__proto__", "__proto__: {}", ["unknown-key 1:1"]],
    ["a merge key", "pipeline: &p {}\norganization: {<<: *p}", ["unknown-key 2:16"]],
    ["a repeated section", "pipeline: {}\npipeline: {}", ["duplicate-key 2:1"]],
    ["a repeated key, quoted", "pipeline: {}\n'pipeline': {}", ["duplicate-key 2:1"]],
    ["a repeated key, escaped", 'pipeline: {}\n"pipelin\\x65": {}', ["duplicate-key 2:1"]],
    ["a repeated key in a profile", "pipeline:\n  profiles: [{name: a, name: b}]", ["duplicate-key 2:24"]],
    ["a key that is a list", "? [a]\n: b", ["wrong-type 1:3"]],
    ["a key behind an alias", "pipeline: &a x\n*a : y", ["wrong-type 2:1"]],
    ["two documents", "pipeline: {}\n---\norganization: {}", ["several-documents 2:1"]],
    ["an empty second document", "pipeline: {}\n---\n", ["several-documents 2:1"]],
    ["an unknown tag", "pipeline: !secret {}", ["yaml-tag 1:11"]],
    ["a binary tag", "pipeline:\n  profiles: [{name: !!binary aGk=}]", ["yaml-tag 2:21"]],
    ["a tag that does not fit", "pipeline:\n  profiles: [{name: !!int x}]", ["yaml-tag 2:21"]],
    ["a core tag of another type", "pipeline: !!str {a: b}", ["yaml-tag 1:11"]],
    ["a tag prefix", "%TAG ! tag:example.com,2026:\n---\npipeline: {}", ["yaml-directive 1:1"]],
    ["YAML 1.1", "%YAML 1.1\n---\npipeline: {}", ["yaml-directive 1:1"]],
    ["an unknown directive", "%FOO\n---\npipeline: {}", ["yaml-directive 1:1"]],
    ["an alias without an anchor", "pipeline: *p", ["yaml-syntax 1:11"]],
    ["an alias to what comes later", "pipeline: *p\norganization: &p {}", ["yaml-syntax 1:11"]],
    ["an alias inside its anchor", "pipeline: &p {profiles: [*p]}", ["alias-expansion 1:26"]],
    ["a control character", "pipeline:\n  profiles: [{name: a\u0007b}]", ["control-character 2:22"]],
    ["a NUL", "pipeline: {}\u0000", ["control-character 1:13"]],
    ["a lone CR", "pipeline: {}\rorganization: {}", ["control-character 1:13"]],
    ["a byte-order mark inside", "pipeline:\uFEFF {}", ["control-character 1:10"]],
  ] as const)("with %s", (_name, text, expected) => {
    expect(refusals(text)).toEqual([...expected]);
  });

  test("with everything that is wrong with its shape, in file order", () => {
    const text = "pipeline:\n  profiles:\n    - nme: a\n      permissions: x\n      match: y\nother: 1\n";
    expect(refusals(text)).toEqual(["unknown-key 3:7", "wrong-type 4:20", "wrong-type 5:14", "unknown-key 6:1"]);
  });

  test("in bytes that are no UTF-8, or too many", () => {
    expect(refusals(new Uint8Array([0xff, 0xfe, 0x61, 0x00]))).toEqual(["not-utf8 1:1"]);
    expect(refusals(Buffer.from("pipeline: {}", "utf16le"))).toEqual(["not-utf8 1:1"]);
    expect(refusals(Buffer.from("pipeline: {}", "utf16le").swap16())).toEqual(["not-utf8 1:1"]);
    expect(refusals(new Uint8Array([0x61, 0x62, 0x00]))).toEqual(["control-character 1:3"]);
    expect(refusals(new Uint8Array([0x61, 0xc0, 0xaf]))).toEqual(["not-utf8 1:2"]);
    expect(refusals(new Uint8Array(MAX_PROFILE_FILE_BYTES + 1).fill(0x23))).toEqual(["file-too-large 1:1"]);
    expect(refusals(new Uint8Array(MAX_PROFILE_FILE_BYTES).fill(0x23))).toEqual([]);
  });

  test("of too many tokens, and not of the shortest profiles that fill it", () => {
    const profile = (name: string): string => ` - {name: ${name}, permissions: [contents:read]}\n`;
    const count = Math.floor((MAX_PROFILE_FILE_BYTES - 40) / profile("p00000").length);
    const profiles = Array.from({ length: count }, (_, index) => profile(`p${String(index).padStart(5, "0")}`));
    expect(refusals(`pipeline:\n profiles:\n${profiles.join("")}`)).toEqual([]);
    expect(refusals(`[${"a,".repeat(MAX_PROFILE_FILE_BYTES / 2 - 1)}]`)).toEqual(["file-too-large 1:1"]);
    expect(refusals("\n".repeat(MAX_PROFILE_FILE_BYTES))).toEqual(["file-too-large 1:1"]);
  }, 20_000);

  test("at the first byte that is no UTF-8, whatever stands before it", () => {
    const before = fc.string({ unit: fc.constantFrom("a", "é", "字", "\u{1F600}", "\uFFFD", "\n", "\r\n", "\uFEFF") });
    fc.assert(
      fc.property(before, fc.constantFrom(0x80, 0xc0, 0xe9, 0xff), (text, byte) => {
        const bytes = Buffer.concat([Buffer.from(text), Buffer.of(byte), Buffer.from("\uFFFDb\n")]);
        // A mark at the very start is no part of the text.
        const lines = text.replace(/^\uFEFF/, "").split("\n");
        expect(refusals(bytes)).toEqual([`not-utf8 ${lines.length}:${(lines.at(-1) ?? "").length + 1}`]);
      }),
    );
  });

  test("quotes little of a long key", () => {
    const reading = read(`${"k".repeat(900)}: 1`);
    expect(reading.kind === "refused" && reading.findings[0]?.message.length).toBeLessThan(250);
  });
});

describe("readDocument() stays within bounds", () => {
  // Each level stands for ten of the one before: 10^9 values in 300 bytes.
  test("an alias bomb is refused without being expanded", () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const inner = level === 0 ? "x" : `*l${level - 1}`;
      return `k${level}: &l${level} [${Array(10).fill(inner).join(", ")}]`;
    });
    const startedMs = performance.now();
    expect(refusals(levels.join("\n"))).toEqual(["alias-expansion 4:45"]);
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  test("a list that is repeated by aliases is bounded too", () => {
    const shared = Array.from({ length: 2_000 }, (_, index) => `r${index}`).join(", ");
    const profile = (use: string) => `    - {name: a, repositories: ${use}}\n`;
    const text = `organization:\n  profiles:\n${profile(`&all [${shared}]`)}${profile("*all").repeat(6)}`;
    expect(refusals(text)).toEqual(["alias-expansion 8:31"]);
  });

  test.each([
    ["brackets", "[".repeat(100_000)],
    ["closed brackets", "[".repeat(5_000) + "]".repeat(5_000)],
    ["dashes", "- ".repeat(100_000)],
    ["question marks", "? ".repeat(100_000)],
    ["indentation", Array.from({ length: 500 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
    ["flow maps", "{a: ".repeat(10_000)],
  ])("depth made of %s is refused, not descended into", (_name, text) => {
    expect(refusals(text).map((one) => one.split(" ")[0])).toEqual(["too-deep"]);
  });

  test.each([
    ["keys", Array.from({ length: 90_000 }, (_, index) => `k${index}: 1`).join("\n")],
    ["repeated keys", "a: 1\n".repeat(150_000)],
    ["documents", "---\n".repeat(200_000)],
    ["anchors", "&a ".repeat(200_000)],
    ["syntax errors", "a: }\n".repeat(150_000)],
  ])("a megabyte of %s is refused in time in proportion, with few words", (_name, text) => {
    const startedMs = performance.now();
    const found = refusals(text);
    expect(found.length).toBeGreaterThan(0);
    expect(found.length).toBeLessThanOrEqual(100);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  test("ten thousand profiles are read", () => {
    const profile = (index: number) =>
      `    - name: p${index}\n      repositories: [a${index}]\n      permissions: ["contents:read"]\n`;
    const text = `organization:\n  profiles:\n${Array.from({ length: 10_000 }, (_, index) => profile(index)).join("")}`;
    expect(documentOf(text).organizationProfiles).toHaveLength(10_000);
  });
});
