import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { createExtentReader } from "../../../src/profiles/source-extent.ts";

describe("createExtentReader()", () => {
  test.each([
    ["a plain key", "pipeline: {}\n", 1, 1, "pipeline"],
    ["a plain value", "a: b c # d\n", 1, 4, "b c"],
    ["a plain value in a flow list", "a: [b, c]\n", 1, 5, "b"],
    ["a double-quoted value with an escaped quote", 'a: ["b\\"c", d]\n', 1, 5, '"b\\"c"'],
    ["a single-quoted value", "a: 'it''s'\n", 1, 4, "'it''s'"],
    ["the first line of a value that has several", "a: 'b\n  c'\n", 1, 4, "'b"],
    ["a bracket", "a: [b]\n", 1, 4, "["],
    ["an alias", "a: &x b\nc: *x\n", 2, 4, "*x"],
    ["what stands behind a tab, with Windows line ends", "a: {}\r\nb:\tcc\r\n", 2, 4, "cc"],
    ["characters of two units", "a: \u{1F600}b\n", 1, 4, "\u{1F600}b"],
    ["a place where nothing begins", "abc: d\n", 1, 2, "b"],
    ["a place behind the end", "a: b\n", 9, 9, "?"],
  ])("measures %s", (_, text, line, column, expected) => {
    expect(createExtentReader(text)({ line, column })).toBe(expected.length);
  });

  test("answers for any place in any text, in any order, at least one", () => {
    const place = fc.record({ line: fc.integer({ min: 1, max: 9 }), column: fc.integer({ min: 1, max: 30 }) });
    const piece = fc.constantFrom("a", ": ", "[", "]", "{", "}", "- ", "\n", '"', "'", "#", "&a ", "*a", "|\n", "\t");
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((all) => all.join("")),
        ),
        fc.array(place),
        (text, places) => {
          const extents = createExtentReader(text);
          for (const at of places) {
            expect(extents(at)).toBeGreaterThanOrEqual(1);
            expect(extents(at)).toBe(createExtentReader(text)(at));
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
