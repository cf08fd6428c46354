import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

test("the tables in README and docs are what the load tests wrote", () => {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, path("bench/write-docs.ts"), "--check"]);
  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
});

/** Where figures of our own would stand in prose, unnoticed when they are no longer true. */
test.each(["docs/performance.md", "README.md"])("%s quotes no measured figure outside those tables", (page) => {
  const prose = readFileSync(path(page), "utf8").replaceAll(/<!-- bench: [\s\S]*?<!-- \/bench -->/g, "");
  expect(prose.match(/\b[\d.,]*\d ?(us|µs|ms|MiB|requests\/s|a second)\b/g)).toBeNull();
});
