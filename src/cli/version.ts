import { BUILD_INFO } from "./build-info.ts";
import { FORMAT_OPTION, type Command } from "./command.ts";

/** `version`: JSON `{"version", "commit", "runtime"}`, or a line each. */
export const version: Command = {
  options: [FORMAT_OPTION],
  examples: ["chinmina-bridge version", "chinmina-bridge version --format json"],
  run: async (invocation, { out }) => {
    const { version: number, commit, runtime } = BUILD_INFO;
    const text = `chinmina-bridge ${number}\ncommit ${commit}\nruntime ${runtime}\n`;
    await out.write(invocation.text("format") === "json" ? `${JSON.stringify(BUILD_INFO)}\n` : text);
    return 0;
  },
};
