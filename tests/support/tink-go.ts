import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";

const PROGRAM = join(import.meta.dir, "../interop/tink-go");

const Answer = v.object({
  stage: v.optional(v.string()),
  error: v.optional(v.string()),
  result: v.optional(v.string()),
});

export type KeysetKind = "json" | "binary" | "encrypted" | "encrypted-binary";

export interface TinkGoRequest {
  readonly do: "check" | "seal" | "open" | "write" | "create";
  readonly kind?: KeysetKind;
  readonly keyset?: Uint8Array;
  readonly plaintext?: Uint8Array;
  readonly ciphertext?: Uint8Array;
  readonly associatedData?: Uint8Array;
  readonly template?: string;
  readonly writeAs?: KeysetKind;
}

/** Either what tink-go made, or at which stage it refused: `read`, `aead.New`, `open`. */
export type TinkGoAnswer =
  { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly stage: string };

/** Asks all at once: the answers are in the order of the questions. */
export type TinkGo = ((requests: readonly TinkGoRequest[]) => Promise<TinkGoAnswer[]>) & AsyncDisposable;

/** Builds the program with the Go toolchain in PATH, which fetches tink-go by go.sum. Throws what the build said. */
export async function buildTinkGo(): Promise<TinkGo> {
  const folder = await mkdtemp(join(tmpdir(), "tink-go-"));
  const binary = join(folder, "tink-go");
  const build = Bun.spawn(["go", "build", "-o", binary, "."], { cwd: PROGRAM, stdout: "ignore", stderr: "pipe" });
  const said = await new Response(build.stderr).text();
  if ((await build.exited) !== 0) throw new Error(`go build failed: ${said}`);
  const ask = async (requests: readonly TinkGoRequest[]): Promise<TinkGoAnswer[]> => {
    const run = Bun.spawn([binary], {
      stdin: new Blob(requests.map((request) => `${JSON.stringify(withBase64(request))}\n`)),
      stdout: "pipe",
      stderr: "inherit",
    });
    const lines = (await new Response(run.stdout).text()).split("\n").filter(Boolean);
    if (lines.length !== requests.length) throw new Error(`${lines.length} answers to ${requests.length} requests`);
    return lines.map((line) => {
      const { stage, error, result } = v.parse(Answer, JSON.parse(line));
      if (error !== undefined) return { ok: false, stage: stage ?? "" };
      return { ok: true, bytes: Uint8Array.fromBase64(result ?? "") };
    });
  };
  return Object.assign(ask, { [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true }) });
}

function withBase64(request: TinkGoRequest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : String(value),
    ]),
  );
}
