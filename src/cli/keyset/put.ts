import { open } from "node:fs/promises";
import { findKeysetSource } from "../../config/keyset-source.ts";
import { convertKeyset, createStoredKeyset, importKeyset } from "../../keyset/put-keyset.ts";
import { systemRandom } from "../../lib/random.ts";
import { readBeginning } from "../../lib/read-beginning.ts";
import type { Command } from "../command.ts";
import { CommandFailure, UsageError } from "../failure.ts";
import { printable } from "../printable.ts";
import { onKeyset } from "./keyset-failures.ts";
import { DRY_RUN, openKeyset, PLACE_OPTIONS, readTemplate, REPLACE, TEMPLATE } from "./keyset-options.ts";
import { printChange } from "./keyset-view.ts";

/** `keyset create`: a new keyset of one key, where there is none yet. */
export const create: Command = {
  options: [...PLACE_OPTIONS, TEMPLATE, REPLACE, DRY_RUN],
  examples: ["chinmina-bridge keyset create", "chinmina-bridge keyset create --file keyset.json"],
  run: (invocation, io) =>
    onKeyset(io, async () => {
      const template = readTemplate(invocation);
      using opened = openKeyset(invocation, io);
      const report = await createStoredKeyset(opened.tools, {
        ...putOptions(invocation),
        template,
        random: systemRandom,
      });
      const text = report.written
        ? `A new keyset is in ${opened.place.store.name}.`
        : "A keyset would be created (dry run).";
      await printChange(invocation, io.out, { text, json: { replaced: report.replaced }, ...report });
      return 0;
    }),
};

/** `keyset import FILE`: takes over a keyset of tinkey's, JSON or binary, clear or encrypted under the same KMS key. */
export const importFile: Command = {
  operands: { usage: "FILE", least: 1, most: 1 },
  options: [...PLACE_OPTIONS, REPLACE, DRY_RUN],
  examples: ["chinmina-bridge keyset import encrypted-keyset.json"],
  run: (invocation, io) =>
    onKeyset(io, async () => {
      const [path = ""] = invocation.operands;
      using opened = openKeyset(invocation, io);
      const document = await readDocument(path);
      try {
        const report = await importKeyset(opened.tools, document, opened.place.kms, putOptions(invocation));
        const text = report.written
          ? `The keyset is in ${opened.place.store.name}.`
          : "The keyset would be imported (dry run).";
        await printChange(invocation, io.out, {
          text,
          json: { replaced: report.replaced, cleartext: report.cleartext },
          ...report,
        });
        if (report.cleartext)
          await io.err.write(`warning: ${printable(path)} holds the keys in clear: remove it (shred -u)\n`);
        return 0;
      } finally {
        document.fill(0);
      }
    }),
};

/** `keyset convert --to aws-kms://ARN`: the same keyset under another KMS key. */
export const convert: Command = {
  options: [
    ...PLACE_OPTIONS,
    { name: "to", value: "URI", meaning: "aws-kms://ARN of the key to encrypt under from now on" },
    DRY_RUN,
  ],
  examples: ["chinmina-bridge keyset convert --to aws-kms://arn:aws:kms:eu-west-1:123456789012:alias/chinmina-cache-2"],
  run: (invocation, io) =>
    onKeyset(io, async () => {
      using opened = openKeyset(invocation, io);
      const { source } = opened;
      if (source.kind === "file") throw new UsageError("a keyset in a file is encrypted under no KMS key");
      const to = findKeysetSource(
        {},
        { file: undefined, keysetUri: `aws-secretsmanager://${source.secretId}`, kmsKeyUri: invocation.text("to") },
      );
      if (to.kind === "invalid") throw new UsageError("--to takes aws-kms:// followed by the ARN of a key or alias");
      const report = await convertKeyset(opened.tools, opened.at(to.source).store, {
        dryRun: invocation.flag("dry-run"),
      });
      const text = report.written
        ? "The keyset is encrypted under the new key. Set CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI to it; running instances keep what they have."
        : "The keyset would be converted (dry run).";
      await printChange(invocation, io.out, { text, json: {}, ...report });
      return 0;
    }),
};

function putOptions(invocation: { readonly flag: (name: string) => boolean }) {
  return { replace: invocation.flag("replace"), dryRun: invocation.flag("dry-run") };
}

/** Some 7,000 keys; KMS encrypts 40. */
const MAX_DOCUMENT_BYTES = 1024 * 1024;

async function readDocument(path: string): Promise<Buffer> {
  const document = await readStartOf(path).catch(() => {
    throw new CommandFailure(`${printable(path)} cannot be read`, {
      code: "file-unreadable",
      advice: "name the file that tinkey wrote",
    });
  });
  if (document.length <= MAX_DOCUMENT_BYTES) return document;
  throw new CommandFailure(`${printable(path)} is over ${MAX_DOCUMENT_BYTES} bytes, so it is no keyset`, {
    code: "keyset-malformed",
    advice: "name the file that tinkey wrote",
  });
}

async function readStartOf(path: string): Promise<Buffer> {
  await using file = await open(path, "r");
  return await readBeginning(file, MAX_DOCUMENT_BYTES + 1);
}
