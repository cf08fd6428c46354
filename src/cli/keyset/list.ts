import { listStoredKeyset } from "../../keyset/edit-stored-key.ts";
import type { Command } from "../command.ts";
import { onKeyset } from "./keyset-failures.ts";
import { openKeyset, PLACE_OPTIONS } from "./keyset-options.ts";
import { formatKeys } from "./keyset-view.ts";

/** `keyset list`: JSON `{"primaryKeyId", "keys": [{"keyId", "status", "type", "outputPrefix", "primary"}]}`, or a table. */
export const list: Command = {
  options: PLACE_OPTIONS,
  examples: ["chinmina-bridge keyset list", "chinmina-bridge keyset list --file keyset.json --format json"],
  run: (invocation, io) =>
    onKeyset(io, async () => {
      using opened = openKeyset(invocation, io);
      const { summary, createdAtEpochMs, summaryAgrees } = await listStoredKeyset(opened.tools);
      if (!summaryAgrees) {
        await io.err.write(
          "warning: the readable summary beside the keyset tells something else; somebody edited it by hand\n",
        );
      }
      const changed = `changed ${new Date(createdAtEpochMs).toISOString()}\n`;
      const isJson = invocation.text("format") === "json";
      await io.out.write(
        isJson ? `${JSON.stringify(summary)}\n` : formatKeys(summary, io.out) + (io.out.isTerminal ? changed : ""),
      );
      return 0;
    }),
};
