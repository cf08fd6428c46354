import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { anchorsOf, linksOf, markdownPages } from "../support/markdown.ts";

const ROOT = join(import.meta.dir, "../..");
const pages = await markdownPages();
const texts = new Map(pages.map(({ path, text }) => [path, text]));

describe("links between the pages", () => {
  test("are there to be looked at", () => {
    expect(pages.flatMap(linksOf).length).toBeGreaterThan(5);
  });

  test.each(pages.map((page) => [page.path, page] as const))(
    "%s leads to files and headings that exist",
    (_path, page) => {
      const broken = linksOf(page).filter(({ path, anchor }) => {
        if (!existsSync(join(ROOT, path))) return true;
        return anchor !== undefined && path.endsWith(".md") && !anchorsOf(texts.get(path) ?? "").includes(anchor);
      });
      expect(broken).toEqual([]);
    },
  );
});
