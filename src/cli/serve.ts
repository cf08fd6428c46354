import { BUILD_INFO } from "./build-info.ts";
import type { Command } from "./command.ts";

/** `serve`: configured by the environment alone. Standard output is left to the service's own writer. */
export const serve: Command = {
  options: [],
  examples: ["chinmina-bridge", "chinmina-bridge serve"],
  run: async (_invocation, { environment, err }) => {
    const { serve: untilStopped } = await import("../app/serve.ts");
    const told: Promise<void>[] = [];
    const status = await untilStopped(
      environment,
      (line) => void told.push(err.write(`${line}\n`)),
      BUILD_INFO.version,
    );
    // Nobody may be reading any more; the exit status still tells.
    await Promise.allSettled(told);
    return status === 0 ? 0 : 1;
  },
};
