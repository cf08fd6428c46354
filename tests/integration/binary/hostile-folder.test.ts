import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARY, runProgram } from "../../support/program.ts";

// Whoever can write into the folder where the service is started must gain nothing: by default a compiled program reads
// .env and bunfig.toml there, and the latter runs scripts.
let folder = "";
const ranMark = (): string => join(folder, "ran");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hostile-"));
  const files = {
    ".env": "SERVER_PORT=from-dotenv\n",
    ".env.local": "SERVER_PORT=from-dotenv\n",
    ".env.production": "SERVER_PORT=from-dotenv\n",
    ".env.development": "SERVER_PORT=from-dotenv\n",
    "bunfig.toml": 'preload = ["./preload.ts"]\n',
    "preload.ts": `require("node:fs").writeFileSync(${JSON.stringify(ranMark())}, "ran");\n`,
    "package.json": JSON.stringify({ type: "commonjs", imports: { "#x": "./preload.ts" }, preload: ["./preload.ts"] }),
    "tsconfig.json": JSON.stringify({ compilerOptions: { paths: { "node:tty": ["./preload.ts"] } } }),
    "print-port.ts": "console.log(process.env.SERVER_PORT);\n",
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});

beforeEach(() => rmSync(ranMark(), { force: true }));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the folder is hostile: a plain runtime started in it reads both files", async () => {
  const plain = await runProgram([process.execPath], ["print-port.ts"], { folder });
  expect(plain.out).toBe("from-dotenv\n");
  expect(existsSync(ranMark())).toBe(true);
});

test.each([[["config", "check", "--format", "json"]], [["serve"]], [["version"]]])(
  "the binary that is started in it reads neither: %j",
  async (argv) => {
    const { out, err } = await runProgram([BINARY], argv, { folder });
    expect(out + err).not.toContain("SERVER_PORT");
    expect(out + err).not.toBe("");
    expect(existsSync(ranMark())).toBe(false);
  },
);
