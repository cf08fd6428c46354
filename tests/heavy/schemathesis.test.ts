import { beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { INSTALL_TIMEOUT_MS, installPythonTools } from "../support/python-tools.ts";
import { startWorld } from "../support/world.ts";

const DOCUMENT = join(import.meta.dir, "../../docs/openapi.yaml");
/** For each operation and phase; about 12,000 requests in all. */
const EXAMPLES = 1000;

let programs: string;
beforeAll(async () => {
  programs = await installPythonTools("schemathesis", ["schemathesis==4.32.5"], "the tests of docs/openapi.yaml");
}, INSTALL_TIMEOUT_MS);

test("schemathesis finds no undocumented answer in 10,000 requests", async () => {
  await using world = await startWorld({ CALLER_UPSTREAM_CALLS_PER_MINUTE: "1000000" }, { policy: DEFAULT_POLICY });
  const jwt = world.jwt({ exp: Math.floor(Date.now() / 1000) + 7200 });
  const folder = mkdtempSync(join(tmpdir(), "schemathesis-"));
  // A name that no profile has is a valid request with a documented 404, so "valid is accepted" cannot be asked.
  const options = [
    "--workers",
    "1",
    "--no-color",
    "--exclude-checks",
    "positive_data_acceptance",
    "--max-examples",
    String(EXAMPLES),
    "--seed",
    "1",
  ];
  const child = Bun.spawn(
    [
      join(programs, "schemathesis"),
      "run",
      DOCUMENT,
      "--url",
      world.bridge.url,
      "--header",
      `Authorization: Bearer ${jwt}`,
      ...options,
    ],
    { cwd: folder, stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  const said = await new Response(child.stdout).text();
  rmSync(folder, { recursive: true });
  if ((await child.exited) !== 0) throw new Error(said);
  const [, count = "0"] = /(\d+) generated, \1 passed/.exec(said) ?? [];
  expect(Number(count)).toBeGreaterThanOrEqual(10_000);
}, 600_000);
