import type { DiagLogger } from "@opentelemetry/api";
import type { TelemetryOptions } from "../telemetry.ts";
import type { Logger } from "../logger.ts";

type Level = "debug" | "info" | "warn" | "error";
const ORDER: readonly string[] = ["debug", "info", "warn", "error"];
/** Different lines, digits aside, that are remembered as told. */
const REMEMBERED = 100;

/**
 * The SDK's own log in ours: what is said above `level`, each thing once, texts only (the SDK also logs what it is about to send).
 * Failed exports are told by `reportExports`, when they begin and end.
 */
export function createSdkLog(level: TelemetryOptions["sdkLogLevel"], logger: Logger): DiagLogger {
  const threshold = level === "off" ? ORDER.length : ORDER.indexOf(level);
  const told = new Set<string>();
  const write =
    (at: Level) =>
    (...said: unknown[]): void => {
      const detail = withoutUserInfo(said.filter((part) => typeof part === "string").join(" "));
      const isAboutExports = /\bexport (failed|retry|already)\b|\bexport timed out\b|^\{/i.test(detail);
      const as = isAboutExports ? "debug" : at;
      if (ORDER.indexOf(as) < threshold) return;
      const kind = detail.replace(/\d+/g, "0");
      if (told.has(kind) || told.size >= REMEMBERED) return;
      told.add(kind);
      logger[as]("opentelemetry", { detail });
    };
  return {
    verbose: () => undefined,
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
  };
}

/** The SDK quotes an endpoint that it cannot read, credentials in it included. */
function withoutUserInfo(text: string): string {
  return text.replace(/:\/\/\S*@/g, "://…@");
}
