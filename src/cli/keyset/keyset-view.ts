import type { KeysetSummary } from "../../keyset/keyset-summary.ts";
import type { Invocation, TextOutput } from "../command.ts";
import { green, yellow } from "../style.ts";
import { formatTable } from "../table.ts";

/** The keys as a table: nothing secret in it. */
export function formatKeys({ keys }: KeysetSummary, out: TextOutput): string {
  const rows = keys.map(({ keyId, status, type, outputPrefix, primary }) => [
    { text: String(keyId) },
    { text: status, ...(status === "ENABLED" ? {} : { style: yellow }) },
    { text: type },
    { text: outputPrefix },
    { text: primary ? "primary" : "", style: green },
  ]);
  return formatTable(["KEY ID", "STATUS", "TYPE", "PREFIX", ""], rows, out);
}

/** Prints a command's result: `json` as one document, else `text` and the keys as they are, or would be, then. */
export async function printChange(
  invocation: Invocation,
  out: TextOutput,
  change: {
    readonly text: string;
    readonly json: Readonly<Record<string, unknown>>;
    readonly after: KeysetSummary;
    readonly written: boolean;
  },
): Promise<void> {
  const { text, json, after, written } = change;
  if (invocation.text("format") === "json") {
    await out.write(`${JSON.stringify({ written, ...json, after })}\n`);
    return;
  }
  await out.write(`${text}\n${formatKeys(after, out)}`);
}
