import type { Environment } from "./environment-reader.ts";

/** The environment of this process, as it is now. The only place that looks at it. */
export function processEnvironment(): Environment {
  return { ...process.env };
}
