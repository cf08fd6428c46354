import { expect, test } from "bun:test";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BINARY, runProgram } from "../support/program.ts";

const GUIDE = join(import.meta.dir, "../../docs/encryption.md");

/** Every command of ours in the guide's shell blocks, in their order, on a keyset in a file in place of the secret. */
test("docs/encryption.md: its keyset commands work as they are written, in their order", async () => {
  const folder = await mkdtemp(join(tmpdir(), "guide-"));
  const environment = { CACHE_ENCRYPTION_KEYSET_FILE: join(folder, "keyset.json") };
  const run = (argv: readonly string[]) => runProgram([BINARY], argv, { environment });
  const keys = async () =>
    JSON.parse((await run(["keyset", "list", "--format", "json"])).out).keys as { keyId: number }[];
  const blocks = [...(await readFile(GUIDE, "utf8")).matchAll(/^ *```sh\n([^]*?)^ *```/gm)].map(
    ([, text = ""]) => text,
  );
  const commands = blocks.flatMap((text) => text.match(/chinmina-bridge keyset [^\n#]+/g) ?? []);
  expect(commands.length).toBeGreaterThan(6);
  for (const command of commands) {
    const known = command.includes("KEY_ID") ? await keys() : [];
    const argv = command
      .replace("NEW_KEY_ID", String(known.at(-1)?.keyId))
      .replace("OLD_KEY_ID", String(known[0]?.keyId))
      .trim()
      .split(/\s+/)
      .slice(1);
    const { code, err } = await run(argv);
    expect({ command, code, err }).toEqual({ command, code: 0, err: "" });
  }
  await rm(folder, { recursive: true });
});
