import { describe, expect, test } from "bun:test";
import { linksOf } from "../support/markdown.ts";

const path = "docs/decisions/seeds.md";
const page = { path, text: await Bun.file(new URL(`../../${path}`, import.meta.url)).text() };
const rows = page.text
  .split("\n")
  .filter((line) => line.startsWith("|") && !/^\| *(-|the order says)/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

describe("the map of the order's statements", () => {
  test("has all three documents", () => {
    expect(page.text.match(/^## .*$/gm)).toEqual(["## Deployment example", "## Distributed cache", "## IAM tokens"]);
    expect(rows.length).toBeGreaterThan(70);
  });

  test.each(rows.map((cells) => [cells[1], cells[2] ?? ""] as const))("%s: has a place", (_statement, where) => {
    expect(linksOf({ path, text: where })).not.toBeEmpty();
  });
});
