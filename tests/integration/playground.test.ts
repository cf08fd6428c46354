import { expect, test } from "bun:test";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

test("doctor runs in the playground as the playground prints it, and finds nothing that fails", async () => {
  const playground = Bun.spawn([process.execPath, "scripts/demo.ts", "--stay"], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", NO_COLOR: "1" },
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    let printed = "";
    for await (const chunk of playground.stdout) {
      printed += new TextDecoder().decode(chunk);
      if (printed.includes("Ctrl-C")) break;
    }
    const command = /^ +(\(.* doctor\))$/m.exec(printed)?.[1] ?? "";
    expect(command).not.toBe("");
    const shell = Bun.spawn(["sh", "-c", command], { cwd: ROOT, env: {}, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([shell.stdout.text(), shell.stderr.text(), shell.exited]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).not.toContain("FAILED");
    expect(out).toContain("ok GitHub App packages");
  } finally {
    playground.kill("SIGTERM");
    await playground.exited;
  }
}, 30_000);
