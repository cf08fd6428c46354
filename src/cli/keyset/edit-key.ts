import { addStoredKey, editStoredKey, type KeyEdit } from "../../keyset/edit-stored-key.ts";
import { systemRandom } from "../../lib/random.ts";
import type { Command } from "../command.ts";
import { confirm } from "./confirm.ts";
import { onKeyset } from "./keyset-failures.ts";
import { DRY_RUN, openKeyset, PLACE_OPTIONS, readKeyId, readTemplate, TEMPLATE, YES } from "./keyset-options.ts";
import { printChange } from "./keyset-view.ts";

const DONE: Readonly<Record<KeyEdit, string>> = {
  promote: "is the primary now: instances seal with it within 15 minutes",
  disable: "is disabled: what is sealed under it is a miss from now on",
  enable: "is enabled",
  delete: "is gone",
  destroy: "is destroyed: its id stays, its bytes are gone",
};

/** What the keyset has no way back from but the secret's previous version. */
const FINAL: Readonly<Partial<Record<KeyEdit, string>>> = {
  delete: "Delete this key for good?",
  destroy: "Destroy this key's bytes for good?",
};

/** `keyset add-key`: the new key opens and does not seal until it is promoted. */
export const addKey: Command = {
  options: [...PLACE_OPTIONS, TEMPLATE, DRY_RUN],
  examples: ["chinmina-bridge keyset add-key", "chinmina-bridge keyset add-key --template AES256_GCM --dry-run"],
  run: (invocation, io) =>
    onKeyset(io, async () => {
      const template = readTemplate(invocation);
      using opened = openKeyset(invocation, io);
      const { result, after, written } = await addStoredKey(opened.tools, {
        template,
        random: systemRandom,
        dryRun: invocation.flag("dry-run"),
      });
      const text = written
        ? `Key ${result.keyId} is added. Promote it in 15 minutes at the earliest, when every instance has loaded it.`
        : `A key would be added (dry run; the id is made anew when it is).`;
      await printChange(invocation, io.out, { text, json: { keyId: result.keyId }, after, written });
      return 0;
    }),
};

export const promoteKey = editCommand("promote");
export const disableKey = editCommand("disable");
export const enableKey = editCommand("enable");
export const deleteKey = editCommand("delete");
export const destroyKey = editCommand("destroy");

function editCommand(edit: KeyEdit): Command {
  return {
    operands: { usage: "ID", least: 1, most: 1 },
    options: [...PLACE_OPTIONS, DRY_RUN, ...(FINAL[edit] === undefined ? [] : [YES])],
    examples: [`chinmina-bridge keyset ${edit}-key 294406504`],
    run: async (invocation, io) => {
      const keyId = readKeyId(invocation);
      using opened = openKeyset(invocation, io);
      const { tools } = opened;
      const question = FINAL[edit];
      // Before there is progress to show, which would take the question's place.
      if (question !== undefined) await confirm(question, invocation, io);
      return await onKeyset(io, async () => {
        const { after, written } = await editStoredKey(tools, edit, keyId, { dryRun: invocation.flag("dry-run") });
        const text = written ? `Key ${keyId} ${DONE[edit]}.` : "Nothing was written; the keyset would be:";
        await printChange(invocation, io.out, { text, json: { keyId }, after, written });
        return 0;
      });
    },
  };
}
