import type { KeysetTools } from "../../keyset/change-keyset.ts";
import { rotateCompromisedKeyset, rotateKeyset, type RotationOutcome } from "../../keyset/rotate-keyset.ts";
import type { RotationStage } from "../../keyset/rotation.ts";
import { systemRandom } from "../../lib/random.ts";
import type { KeyTemplate } from "../../tink/key-templates.ts";
import type { Command, CommandIo, ExitCode, Invocation } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { confirm } from "./confirm.ts";
import { onKeyset } from "./keyset-failures.ts";
import { DRY_RUN, openKeyset, PLACE_OPTIONS, readTemplate, TEMPLATE, YES } from "./keyset-options.ts";
import { printChange } from "./keyset-view.ts";

const MINUTE_MS = 60_000;

const COMPROMISED = "Take every key out of use at once? What is cached is then fetched again from GitHub.";

/** `keyset rotate`: tells where the rotation stands and takes the next step that is due. Exit 1 when it is early. */
export const rotate: Command = {
  options: [
    ...PLACE_OPTIONS,
    TEMPLATE,
    {
      name: "now",
      meaning: "take the next step although it is early: entries that cannot be opened are fetched again",
    },
    { name: "compromised", meaning: "take every key out of use at once, for a new one" },
    YES,
    DRY_RUN,
  ],
  examples: ["chinmina-bridge keyset rotate", "chinmina-bridge keyset rotate --compromised --yes"],
  run: async (invocation, io) => {
    const template = readTemplate(invocation);
    using opened = openKeyset(invocation, io);
    const { tools } = opened;
    if (!invocation.flag("compromised")) return await onKeyset(io, () => takeStep(invocation, io, tools, template));
    await confirm(COMPROMISED, invocation, io);
    return await onKeyset(io, () => replaceAll(invocation, io, tools, template));
  },
};

async function takeStep(
  invocation: Invocation,
  io: CommandIo,
  tools: KeysetTools,
  template: KeyTemplate,
): Promise<ExitCode> {
  const { result, after, written } = await rotateKeyset(tools, {
    template,
    random: systemRandom,
    dryRun: invocation.flag("dry-run"),
    now: invocation.flag("now"),
  });
  if (result.kind === "early") {
    const message = `${describeStage(result.was)} It is early: ${nextStep(result.was)} in ${minutes(result.waitMs)}.`;
    throw new CommandFailure(message, {
      code: "rotation-early",
      advice: "run it again then, or --now to take the step all the same",
    });
  }
  const text = `${written ? "" : "Dry run. "}${describeStage(result.was)} ${describeStep(result)}`;
  await printChange(invocation, io.out, {
    text,
    json: { was: result.was.stage, is: result.is.stage, finished: result.finished },
    after,
    written,
  });
  return 0;
}

async function replaceAll(
  invocation: Invocation,
  io: CommandIo,
  tools: KeysetTools,
  template: KeyTemplate,
): Promise<ExitCode> {
  const { result, after, written } = await rotateCompromisedKeyset(tools, {
    template,
    random: systemRandom,
    dryRun: invocation.flag("dry-run"),
  });
  const text =
    `${written ? "" : "Dry run. "}Every key but a new one, ${result.newKeyId}, is disabled. What it costs: entries sealed under ` +
    `${result.disabledKeyIds.join(", ")} are misses; for up to ${minutes(result.lagMs)}, until every instance has loaded it, instances ` +
    `cannot open what others seal. Restart them to cut that short.`;
  await printChange(invocation, io.out, { text, json: { ...result }, after, written });
  return 0;
}

function describeStage(stage: RotationStage): string {
  switch (stage.stage) {
    case "settled":
      return "No rotation is under way.";
    case "added":
      return `Key ${stage.newKeyId} is added and seals nothing yet.`;
    case "promoted":
      return `The new key seals; ${stage.oldKeyIds.join(", ")} still open.`;
  }
}

function describeStep({ was, is, finished }: Extract<RotationOutcome, { kind: "step" }>): string {
  const done = {
    add: "Step 1 of 3 is taken: a key is added.",
    promote: "Step 2 of 3 is taken: it is promoted.",
    disable: "Step 3 of 3 is taken: the old keys are disabled.",
  };
  const due = new Date(is.dueAtEpochMs).toISOString();
  return `${done[was.nextStep]} ${finished ? "The rotation is finished." : `Next: ${nextStep(is)}, due ${due}.`}`;
}

function nextStep({ nextStep: step }: RotationStage): string {
  return { add: "adding a key", promote: "promoting it", disable: "disabling the old keys" }[step];
}

function minutes(ms: number): string {
  return `${Math.ceil(ms / MINUTE_MS)} minutes`;
}
