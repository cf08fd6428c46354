import { expect, test } from "bun:test";
import { join } from "node:path";

test("after kill -9 at random moments under load every answered request has its line", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "../../scripts/audit-kill.ts"), "5"], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  expect(await new Response(child.stdout).text()).toMatch(/^5 rounds, [1-9]\d+ answered, 0 without a line\n$/);
  expect(await child.exited).toBe(0);
}, 120_000);
