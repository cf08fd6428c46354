import { loadKeyset } from "../../keyset/load-keyset.ts";
import type { Command } from "../command.ts";
import { onKeyset } from "./keyset-failures.ts";
import { openKeyset, PLACE_OPTIONS } from "./keyset-options.ts";

/** `keyset verify`: the start-up self-test without starting. Exit 0 when the service would start with this keyset. */
export const verify: Command = {
  options: PLACE_OPTIONS,
  examples: ["chinmina-bridge keyset verify"],
  run: (invocation, io) =>
    onKeyset(io, async () => {
      using opened = openKeyset(invocation, io);
      const { summary } = await loadKeyset(opened.place.store);
      const { primaryKeyId, keys } = summary;
      const isJson = invocation.text("format") === "json";
      const text = `The keyset loads, and opens what it seals: ${keys.length} ${keys.length === 1 ? "key" : "keys"}, primary ${primaryKeyId}.`;
      await io.out.write(isJson ? `${JSON.stringify({ valid: true, ...summary })}\n` : `${text}\n`);
      return 0;
    }),
};
