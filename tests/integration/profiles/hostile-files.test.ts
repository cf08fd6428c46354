import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkFile } from "../../../src/profiles/check-file.ts";
import { measureBusyness } from "../../support/busyness.ts";
import { runCaptured } from "../../support/command-io.ts";
import { HOSTILE_FILES, MEBIBYTE } from "../../support/hostile-files.ts";
import { BINARY } from "../../support/program.ts";

/** Time here is noisy. What is to be caught took twenty seconds; how near a second it is on a quiet machine is what `bench/policy-files.ts` tells. */
const LONGEST_MS = 4_000;

/**
 * Does something up to five times, until it is quick; resolves with whether it was. `act` resolves with the processor's time in milliseconds,
 * where it is known: what took no more of that would have taken no more on a quiet machine.
 */
async function isQuick(act: () => Promise<number | undefined>): Promise<boolean> {
  let before = measureBusyness();
  for (let attempt = 0; attempt < 5; attempt++) {
    const startedMs = performance.now();
    const computedMs = await act();
    const tookMs = Math.min(performance.now() - startedMs, computedMs ?? Number.POSITIVE_INFINITY);
    const after = measureBusyness();
    if (tookMs < LONGEST_MS * Math.max(before, after)) return true;
    before = after;
  }
  return false;
}

describe("a hostile profile file gets its answer within seconds", () => {
  test.each(Object.entries(HOSTILE_FILES))(
    "%s",
    async (_, content) => {
      const quick = await isQuick(async () => {
        const { code, out } = await runCaptured(["profiles", "check", "p.yaml"], { files: { "p.yaml": content } });
        expect([0, 1]).toContain(code);
        expect(out).toEndWith("\n");
        return undefined;
      });
      expect(quick).toBe(true);
    },
    60_000,
  );

  test("and a file that is too large is refused for that alone", () => {
    for (const size of [MEBIBYTE + 1, 5 * MEBIBYTE]) {
      expect(checkFile(new Uint8Array(size), { isAppUsable: () => true }).findings).toEqual([
        {
          severity: "error",
          code: "file-too-large",
          message: "the file is larger than 1048576 bytes",
          line: 1,
          column: 1,
        },
      ]);
    }
  });
});

/** What the binary needs without any file, some 60 MiB, and as much again as the worst file may cost it. */
const MOST_MEMORY_BYTES = 400 * MEBIBYTE;

describe("the binary", () => {
  const folder = mkdtempSync(join(tmpdir(), "hostile-files-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const POLICY = "pipeline: {profiles: [{name: a, permissions: [contents:read]}]}";
  writeFileSync(join(folder, "good.yaml"), POLICY);
  writeFileSync(join(folder, "claims.json"), "{}");
  const commands = {
    "profiles check FILE": ["profiles", "check", "FILE"],
    "profiles check good.yaml --permissions FILE": ["profiles", "check", "good.yaml", "--permissions", "FILE"],
    "profiles explain good.yaml --claims FILE": ["profiles", "explain", "good.yaml", "--claims", "FILE"],
    "profiles test good.yaml FILE": ["profiles", "test", "good.yaml", "FILE"],
  };

  test("is seen to use memory, where that can be seen", async () => {
    await Bun.write(join(folder, "hostile"), HOSTILE_FILES["10,000 profiles"] ?? "");
    const child = Bun.spawn([BINARY, "profiles", "check", "hostile"], { cwd: folder, env: {}, stdout: "ignore" });
    expect(process.platform !== "linux" || (await watchMemory(child)) > 50 * MEBIBYTE).toBe(true);
  });

  test.each(Object.entries(commands))(
    "answers `%s` within seconds and bounded memory, whatever the file",
    async (_, argv) => {
      for (const [what, content] of Object.entries(HOSTILE_FILES)) {
        await Bun.write(join(folder, "hostile"), content);
        const run = await runMeasured(argv.map((word) => (word === "FILE" ? "hostile" : word)));
        expect({ what, ...run }).toEqual({ what, hasAnswered: true, isQuick: true, isSmall: true });
      }
    },
    120_000,
  );

  async function runMeasured(argv: readonly string[]) {
    let peakBytes = 0;
    let code: number | null = null;
    const quick = await isQuick(async () => {
      const child = Bun.spawn([BINARY, ...argv], { cwd: folder, env: {}, stdout: "ignore", stderr: "ignore" });
      peakBytes = Math.max(peakBytes, await watchMemory(child));
      code = await child.exited;
      const microseconds = child.resourceUsage()?.cpuTime.total;
      return microseconds === undefined ? undefined : Number(microseconds) / 1000;
    });
    return { hasAnswered: code === 0 || code === 1, isQuick: quick, isSmall: peakBytes < MOST_MEMORY_BYTES };
  }
});

/**
 * The most memory that a process had until it ended, as Linux tells it; 0 elsewhere, and for one that ends at once. What `wait` says of a
 * child holds the memory of the parent that it was forked from.
 */
async function watchMemory(child: Bun.Subprocess): Promise<number> {
  let peakBytes = 0;
  while (child.exitCode === null) {
    const status = await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => "");
    peakBytes = Math.max(peakBytes, Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024);
    await Promise.race([child.exited, Bun.sleep(5)]);
  }
  return peakBytes;
}
