import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { useKeysetFolder } from "../../support/keyset-folder.ts";
import { PROGRAMS, runProgram } from "../../support/program.ts";

const place = useKeysetFolder();

describe.each(PROGRAMS)("the keyset command of %s", (_, program) => {
  const keyset = (...argv: string[]) => runProgram(program, ["keyset", ...argv, "--file", place.file]);

  /** A key that may be deleted. */
  const spareKey = async (): Promise<string> => {
    await keyset("create");
    return String(JSON.parse((await keyset("add-key", "--format", "json")).out).keyId);
  };

  /** Runs it at a terminal, and types `answer` so long after the question has come. */
  const atTerminal = async (argv: readonly string[], answer: string, afterMs: number) => {
    let shown = "";
    const asked = Promise.withResolvers<void>();
    const child = Bun.spawn([...program, "keyset", ...argv, "--file", place.file], {
      env: { TERM: "xterm" },
      terminal: {
        cols: 200,
        rows: 50,
        data: (_terminal, bytes) => {
          shown += new TextDecoder().decode(bytes);
          if (shown.includes("[y/N]")) asked.resolve();
        },
      },
    });
    await Promise.race([asked.promise, child.exited]);
    await Bun.sleep(afterMs);
    const beforeAnswer = shown;
    child.terminal?.write(answer);
    return { code: await child.exited, beforeAnswer, shown: () => shown };
  };

  test("leaves a question standing, however long the answer takes", async () => {
    const keyId = await spareKey();
    const { code, beforeAnswer } = await atTerminal(["delete-key", keyId], "y\r", 2_200);
    expect(beforeAnswer).not.toContain("working on the keyset");
    expect(code).toBe(0);
    expect(JSON.parse((await keyset("list", "--format", "json")).out).keys).toHaveLength(1);
  }, 20_000);

  test.each([
    ["Ctrl-C", "\u0003"],
    ["Ctrl-D", "\u0004"],
    ["Return", "\r"],
  ])(
    "takes %s for a no",
    async (_key, answer) => {
      const keyId = await spareKey();
      const { code, shown } = await atTerminal(["delete-key", keyId], answer, 0);
      await Bun.sleep(50);
      expect(code).toBe(1);
      expect(shown()).toContain("not confirmed: nothing was written");
      expect(JSON.parse((await keyset("list", "--format", "json")).out).keys).toHaveLength(2);
    },
    20_000,
  );

  test("sleeps while it waits for its turn", async () => {
    await keyset("create");
    await writeFile(`${place.file}.new`, "");
    const child = Bun.spawn([...program, "keyset", "add-key", "--file", place.file], { env: {}, stderr: "ignore" });
    await Bun.sleep(4_000);
    child.kill("SIGKILL");
    await child.exited;
    // In microseconds, both; starting takes some tenths of a second.
    const { user, system } = child.resourceUsage()?.cpuTime ?? { user: 0n, system: 0n };
    expect(Number(user) + Number(system)).toBeWithin(1, 1_500_000);
  }, 20_000);
});
