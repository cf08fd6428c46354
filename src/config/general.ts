import type { Configuration, LogLevel } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { flag, read, refused, lineOfText, type Format } from "./format.ts";
import { variablesOf } from "./variable.ts";

const general = variablesOf("general");
const github = variablesOf("github");

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

const logLevel: Format<LogLevel> = {
  accepted: "debug, info, warn or error",
  read: (value) => {
    const level = LEVELS.find((candidate) => candidate === value.toLowerCase());
    return level === undefined ? refused("is not a log level") : read(level);
  },
};

/** How the service talks about itself. */
export const GENERAL = {
  discloseAppIdentifiers: github.defaulted({
    name: "DEV_DISCLOSE_APP_IDENTIFIERS",
    default: "false",
    meaning: "For development: replies tell the App's ids.",
    format: flag,
  }),
  logLevel: general.optional({
    name: "LOG_LEVEL",
    whenUnset: "info, or debug with ENV=development",
    meaning: "The least severe operational log line that is written; audit entries are always written.",
    format: logLevel,
  }),
  environment: general.optional({
    name: "ENV",
    whenUnset: "logs are JSON",
    meaning: "development: logs for people, at debug level. Any other value changes nothing.",
    format: lineOfText("text without control characters"),
  }),
} as const;

export function readGeneral(reader: EnvironmentReader): Pick<Configuration, "discloseAppIdentifiers" | "logging"> {
  const development = reader.read(GENERAL.environment) === "development";
  const level = reader.read(GENERAL.logLevel) ?? (development ? "debug" : "info");
  return {
    discloseAppIdentifiers: reader.read(GENERAL.discloseAppIdentifiers),
    logging: { level, format: development ? "development" : "json" },
  };
}
