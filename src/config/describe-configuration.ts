import type { ConfigurationResult } from "./read-configuration.ts";

/** The fields of the one log line that tells the configuration in force. */
export interface ConfigurationDescription {
  /** Whether there is a policy at all, and where it comes from. */
  readonly profileSource: "none" | "github" | "file";
  /** Variable to value; secrets read `[redacted]`, defaults end in ` (default)`, files in ` (from file)`. */
  readonly settings: Readonly<Record<string, string>>;
}

const ORIGIN_MARKS = { default: " (default)", environment: "", file: " (from file)" } as const;

export function describeConfiguration(
  result: Extract<ConfigurationResult, { kind: "valid" }>,
): ConfigurationDescription {
  return {
    profileSource: result.configuration.profiles.source.kind,
    settings: Object.fromEntries(
      result.settings.map(({ variable, value, origin }) => [variable, value + ORIGIN_MARKS[origin]]),
    ),
  };
}
