import { type HeldPermissions, parseHeldPermissions } from "../../permissions/held-permissions.ts";
import { checkFile } from "../../profiles/check-file.ts";
import { MAX_PROFILE_FILE_BYTES } from "../../profiles/source-text.ts";
import type { Command, CommandIo, Invocation } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { summarize, type CheckedFile } from "./checked-file.ts";
import { formatFindings } from "./findings-text.ts";
import { formatAnnotations } from "./github-annotations.ts";
import { APPS_OPTION, POLICY_REPOSITORY_OPTION, readApps, readNamedFile, readRepository } from "./profile-options.ts";

/**
 * `profiles check`: JSON `{"valid", "findings": [{"severity", "code", "message", "file", "line", "column", "profile"}]}`, workflow
 * annotations of GitHub, or text with the places underlined. Exit 1 on any error, with `--strict` on any warning.
 */
export const check: Command = {
  operands: { usage: "FILE…", least: 1, most: 1000 },
  options: [
    {
      name: "format",
      value: "FORMAT",
      choices: ["text", "json", "github"],
      meaning: "text for people, json for programs, or annotations of a GitHub workflow",
    },
    { name: "strict", meaning: "exit 1 on warnings too" },
    APPS_OPTION,
    {
      name: "permissions",
      value: "FILE",
      meaning: "what the installations hold, as doctor --write-permissions writes it",
    },
    POLICY_REPOSITORY_OPTION,
  ],
  examples: [
    "chinmina-bridge profiles check profiles.yaml",
    "chinmina-bridge profiles check profiles.yaml --strict --apps writer --policy-repository policy",
    "chinmina-bridge profiles check profiles.yaml --format github",
  ],
  run: async (invocation, io) => {
    const context = {
      isAppUsable: readApps(invocation),
      policyRepository: readRepository(invocation, "policy-repository"),
      held: await readHeld(invocation, io),
    };
    const checked: CheckedFile[] = [];
    for (const path of invocation.operands) {
      const bytes = await readNamedFile(path, MAX_PROFILE_FILE_BYTES, io);
      checked.push({ path, bytes, ...checkFile(bytes, context) });
    }
    await io.out.write(FORMATS[formatOf(invocation)](checked, io));
    const { errors, warnings } = summarize(checked);
    return errors > 0 || (warnings > 0 && invocation.flag("strict")) ? 1 : 0;
  },
};

const FORMATS = {
  text: (checked: readonly CheckedFile[], { out }: CommandIo) => formatFindings(checked, out),
  json: formatJson,
  github: formatAnnotations,
};

function formatOf(invocation: Invocation): keyof typeof FORMATS {
  const format = invocation.text("format");
  return format === "json" || format === "github" ? format : "text";
}

function formatJson(checked: readonly CheckedFile[]): string {
  const findings = checked.flatMap(({ path, findings: found }) =>
    found.map(({ severity, code, message, line, column, profile }) => ({
      severity,
      code,
      message,
      file: path,
      line,
      column,
      ...(profile === undefined ? {} : { profile }),
    })),
  );
  return `${JSON.stringify({ valid: summarize(checked).errors === 0, findings })}\n`;
}

const MAX_PERMISSIONS_BYTES = 1024 * 1024;

async function readHeld(invocation: Invocation, io: CommandIo): Promise<HeldPermissions | undefined> {
  const path = invocation.text("permissions");
  if (path === undefined) return undefined;
  const bytes = await readNamedFile(path, MAX_PERMISSIONS_BYTES, io);
  const held =
    bytes.byteLength > MAX_PERMISSIONS_BYTES ? undefined : parseHeldPermissions(new TextDecoder().decode(bytes));
  if (held !== undefined) return held;
  throw new CommandFailure(`${printable(path)} does not hold the permissions of installations`, {
    code: "permissions-malformed",
    advice: "write it with chinmina-bridge doctor --write-permissions FILE",
  });
}
