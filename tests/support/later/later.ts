import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A process whose timers and ages can be moved on, without its time of day. */
export interface Later {
  /** To start the process with. */
  readonly variables: Readonly<Record<string, string>>;
  /** What the process had waited for by then comes at its next turn: move it on when nothing is under way in it. */
  readonly advance: (seconds: number) => void;
}

/** Builds the shim with the system's C compiler; Linux with glibc only. Throws a line that names the compiler when it is missing. */
export function createLaters(count: number): Disposable & { readonly laters: readonly Later[] } {
  const folder = mkdtempSync(join(tmpdir(), "later-"));
  const library = join(folder, "later.so");
  const source = join(import.meta.dir, "later.c");
  const { error, stderr } = spawnSync("cc", ["-shared", "-fPIC", "-O2", "-o", library, source], { encoding: "utf8" });
  if (error !== undefined) throw new Error("a C compiler is needed (Debian: apt-get install gcc)", { cause: error });
  if (stderr !== "") throw new Error(stderr);
  const files = Array.from({ length: count }, (_none, index) => join(folder, `seconds-${index}`));
  const laters = files.map((file): Later => {
    let ahead = 0;
    const write = (): void => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(ahead));
      // In place: the process has the file mapped.
      const handle = openSync(file, ahead === 0 ? "w" : "r+");
      writeSync(handle, bytes, 0, bytes.length, 0);
      closeSync(handle);
    };
    write();
    return {
      variables: { LD_PRELOAD: library, LATER_FILE: file },
      advance: (seconds) => {
        ahead += seconds;
        write();
      },
    };
  });
  return { laters, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
