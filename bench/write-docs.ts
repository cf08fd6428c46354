/**
 * Puts the tables of bench/results where the documentation shows them, between `<!-- bench: NAME -->` and `<!-- /bench -->`.
 * `<!-- bench: NAME; FIRST CELL; FIRST CELL -->` shows those rows alone, without what they were made on.
 *
 *   bun bench/write-docs.ts [--check]   --check changes nothing, and ends with status 1 when something would change
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const RESULTS = join(import.meta.dir, "results");
const BLOCK = /<!-- bench: ([^>]*?) -->\n[\s\S]*?<!-- \/bench -->/g;

const pages = ["README.md", ...readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })]
  .filter((path) => path.endsWith(".md"))
  .map((path) => (path === "README.md" ? path : join("docs", path)));
const isCheck = process.argv.includes("--check");
const stale: string[] = [];
for (const page of pages) {
  const path = join(ROOT, page);
  const before = readFileSync(path, "utf8");
  const after = before.replaceAll(BLOCK, (_block, wanted: string) => {
    const [name = "", ...rows] = wanted.split(";").map((part) => part.trim());
    return `<!-- bench: ${wanted} -->\n\n${select(name, rows)}\n\n<!-- /bench -->`;
  });
  if (withoutPadding(before) === withoutPadding(after)) continue;
  stale.push(page);
  if (!isCheck) writeFileSync(path, after);
}
if (!isCheck && stale.length > 0) {
  Bun.spawnSync([join(ROOT, "node_modules/.bin/prettier"), "--write", "--log-level", "warn", ...stale], { cwd: ROOT });
}
if (isCheck && stale.length > 0) {
  console.error(`not what bench/results says: ${stale.join(", ")}; run bun bench/write-docs.ts`);
  process.exitCode = 1;
}

function select(name: string, firstCells: readonly string[]): string {
  const path = join(RESULTS, `${name}.md`);
  if (!existsSync(path)) throw new Error(`bench/results has no ${name}.md`);
  const text = readFileSync(path, "utf8").trim();
  if (firstCells.length === 0) return text;
  const [head = "", rule = "", ...rows] = text.split("\n").filter((line) => line.startsWith("|"));
  const chosen = rows.filter((row) => firstCells.some((cell) => row.startsWith(`| ${cell} |`)));
  if (chosen.length === 0) throw new Error(`${name}.md has no row ${firstCells.join(" or ")}`);
  return [head, rule, ...chosen].join("\n");
}

/** Tables are the same however their columns are padded. */
function withoutPadding(text: string): string {
  return text.replaceAll(/ {2,}/g, " ").replaceAll(/-{3,}/g, "---");
}
