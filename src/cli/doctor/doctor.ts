import { rename, rm, writeFile } from "node:fs/promises";
import { diagnose, type Diagnosis } from "../../doctor/diagnose.ts";
import { locateReplaceableFile } from "../../lib/replaceable-file.ts";
import { formatHeldPermissions } from "../../permissions/held-permissions.ts";
import { FORMAT_OPTION, type Command, type CommandIo } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { withProgress } from "../progress.ts";
import { formatDiagnosis, toJson } from "./diagnosis-view.ts";

/**
 * `doctor`: JSON `{"healthy", "durationMs", "checks": [{"name", "outcome", "code", "detail", "remedy", "durationMs", "checks"}]}`, or a tree.
 * `outcome` is `ok`, `skipped`, `warning` or `failed`. Exit 1 when anything failed; warnings alone are 0.
 */
export const doctor: Command = {
  options: [
    FORMAT_OPTION,
    {
      name: "write-permissions",
      value: "FILE",
      meaning: "keep what the Apps' installations hold, for profiles check --permissions FILE",
    },
  ],
  examples: [
    "chinmina-bridge doctor",
    "chinmina-bridge doctor --format json",
    "chinmina-bridge doctor --write-permissions permissions.json",
  ],
  run: async (invocation, io) => {
    const startedMs = io.clock.monotonicMs();
    const diagnosis = await withProgress("asking everything that the service depends on", io, () =>
      diagnose(io.environment, io.clock),
    );
    const durationMs = io.clock.monotonicMs() - startedMs;
    const isJson = invocation.text("format") === "json";
    const shown = isJson ? toJson(diagnosis, durationMs) : formatDiagnosis(diagnosis, durationMs, io.out);
    await io.out.write(shown);
    const path = invocation.text("write-permissions");
    if (path !== undefined) await keepPermissions(path, diagnosis, io);
    return diagnosis.checks.some(({ outcome }) => outcome === "failed") ? 1 : 0;
  },
};

/** All of it or nothing: a file that lacks an App would have `profiles check` warn of every profile of that App. */
async function keepPermissions(path: string, { held }: Diagnosis, { err }: CommandIo): Promise<void> {
  if (held === undefined) {
    throw new CommandFailure(`${printable(path)} was not written: not every App's installation could be asked`, {
      code: "permissions-unknown",
      advice: "mend what failed above, and run it again",
    });
  }
  try {
    await replaceFile(await locateReplaceableFile(path), formatHeldPermissions(held));
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = typeof code === "string" ? code : "failed";
    throw new CommandFailure(`${printable(path)} cannot be written (${reason})`, {
      code: "file-unwritable",
      advice: "name a file in a folder that is there and that you may write to",
      cause: error,
    });
  }
  await err.write(`wrote ${printable(path)}\n`);
}

/** Whole or not at all. */
async function replaceFile(path: string, content: string): Promise<void> {
  const beside = `${path}.${crypto.randomUUID()}`;
  try {
    await writeFile(beside, content, { flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
