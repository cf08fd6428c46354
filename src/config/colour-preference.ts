import type { Environment } from "./environment-reader.ts";

/** Whether a terminal may be coloured: not with `NO_COLOR` (no-color.org: set and not empty), nor on a dumb terminal. */
export function allowsColour(environment: Environment): boolean {
  const noColour = environment["NO_COLOR"] ?? "";
  return noColour === "" && environment["TERM"] !== "dumb";
}
