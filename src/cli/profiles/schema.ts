import { createProfileFileSchema } from "../../profiles/json-schema.ts";
import type { Command } from "../command.ts";

/** `profiles schema`: the JSON Schema of the profile file. */
export const schema: Command = {
  options: [],
  examples: ["chinmina-bridge profiles schema > profiles.schema.json"],
  run: async (_invocation, { out }) => {
    await out.write(`${JSON.stringify(createProfileFileSchema(), null, 2)}\n`);
    return 0;
  },
};
