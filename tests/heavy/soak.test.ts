import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SCRIPT = join(import.meta.dir, "../../bench/soak.ts");

// The same as `make soak`, too short to tell whether memory grows.
test("a soak of two minutes: what is held is served through the outages, everything else as the contract says", async () => {
  const folder = mkdtempSync(join(tmpdir(), "soak-"));
  const run = Bun.spawn([process.execPath, SCRIPT, "2", folder], { stdout: "pipe", stderr: "inherit" });
  const output = await new Response(run.stdout).text();
  expect(output).toEndWith("held\n");
  expect(await run.exited).toBe(0);
  expect(readdirSync(folder).sort()).toEqual([
    "soak-descriptors.svg",
    "soak-latency.svg",
    "soak-memory.svg",
    "soak.json",
  ]);
  const { requests, failed, faults } = JSON.parse(readFileSync(join(folder, "soak.json"), "utf8"));
  expect({ requests, failed, faults }).toEqual({
    requests: expect.any(Number),
    failed: 0,
    faults: expect.objectContaining({ "github: status 500": 1, "buildkite: reset in the body": 1 }),
  });
  expect(requests).toBeGreaterThan(5_000);
  rmSync(folder, { recursive: true });
}, 240_000);
