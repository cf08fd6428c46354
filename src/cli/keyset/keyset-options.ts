import { createAwsStage } from "../../app/aws.ts";
import { createKeysetPlace, type KeysetPlace } from "../../app/keyset-place.ts";
import type { KeysetSource } from "../../config/configuration.ts";
import { findKeysetSource } from "../../config/keyset-source.ts";
import type { KeysetTools } from "../../keyset/change-keyset.ts";
import { createJsonLogger } from "../../telemetry/logger.ts";
import { nearestName } from "../../lib/nearest-name.ts";
import { DEFAULT_TEMPLATE, KEY_TEMPLATES, type KeyTemplate } from "../../tink/key-templates.ts";
import { FORMAT_OPTION, type CommandIo, type CommandOption, type Invocation } from "../command.ts";
import { UsageError } from "../failure.ts";

export const PLACE_OPTIONS: readonly CommandOption[] = [
  { name: "file", value: "PATH", meaning: "a cleartext keyset in a file, for development" },
  {
    name: "keyset-uri",
    value: "URI",
    meaning: "aws-secretsmanager://NAME-or-ARN, in place of CACHE_ENCRYPTION_KEYSET_URI",
  },
  { name: "kms-key-uri", value: "URI", meaning: "aws-kms://ARN, in place of CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI" },
  FORMAT_OPTION,
];

export const DRY_RUN: CommandOption = { name: "dry-run", meaning: "show what would come of it, write nothing" };
export const YES: CommandOption = { name: "yes", meaning: "do not ask before what cannot be undone" };
export const REPLACE: CommandOption = { name: "replace", meaning: "overwrite the keyset that is there" };
export const TEMPLATE: CommandOption = {
  name: "template",
  value: "NAME",
  meaning: `what kind of key to make, by tinkey's names (default ${DEFAULT_TEMPLATE})`,
};

const ADVICE =
  "give --file PATH, or --keyset-uri with --kms-key-uri, or set CACHE_ENCRYPTION_KEYSET_URI with CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI";

/** The keyset that a command works on, with what it takes to work on it. Disposing lets go of AWS. */
export interface OpenedKeyset extends Disposable {
  readonly place: KeysetPlace;
  readonly source: KeysetSource;
  readonly tools: KeysetTools;
  /** The same place under another source: `convert` writes to it. */
  readonly at: (source: KeysetSource) => KeysetPlace;
}

/** Throws `UsageError` when the command line and the environment name no keyset. */
export function openKeyset(invocation: Invocation, { environment, clock, err }: CommandIo): OpenedKeyset {
  const found = findKeysetSource(environment, {
    file: invocation.text("file"),
    keysetUri: invocation.text("keyset-uri"),
    kmsKeyUri: invocation.text("kms-key-uri"),
  });
  if (found.kind === "invalid") throw new UsageError(`${found.problem.variable} ${found.problem.problem}`, ADVICE);
  const logger = createJsonLogger("warn", clock.nowMs, (line) => void err.write(`${line}\n`));
  const aws = createAwsStage(clock, logger);
  const place = createKeysetPlace(found.source, aws);
  return {
    place,
    source: found.source,
    tools: { store: place.store, clock, jitter: Math.random },
    at: (source) => createKeysetPlace(source, aws),
    [Symbol.dispose]: () => aws[Symbol.dispose](),
  };
}

/** The template that is asked for, else the default one. Throws `UsageError`. */
export function readTemplate(invocation: Invocation): KeyTemplate {
  const name = invocation.text("template") ?? DEFAULT_TEMPLATE;
  const found = KEY_TEMPLATES.find((template) => template.name === name);
  if (found !== undefined) return found;
  const names = KEY_TEMPLATES.map((template) => template.name);
  const nearest = nearestName(name, names);
  throw new UsageError(
    "--template names no kind of key that there is",
    nearest === undefined ? `there are ${names.join(", ")}` : `did you mean ${nearest}?`,
  );
}

/** A key's id as lists show it: 0 to 4294967295. Throws `UsageError`. */
export function readKeyId(invocation: Invocation): number {
  const text = invocation.operands[0] ?? "";
  const keyId = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (keyId <= 0xffff_ffff) return keyId;
  throw new UsageError(
    "a key's id is a whole number of at most 4294967295",
    "chinmina-bridge keyset list shows the ids",
  );
}
