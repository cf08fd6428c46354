import { ExportResultCode, type ExportResult } from "@opentelemetry/core";
import { excerpt } from "../../lib/excerpt.ts";
import type { Logger } from "../logger.ts";

interface Exporter<Batch> {
  export: (batch: Batch, done: (result: ExportResult) => void) => void;
}

/** One log line when exports begin to fail and one when they work again, however many fail in between. */
export function reportExports<Batch>(exporter: Exporter<Batch>, signal: "traces" | "metrics", logger: Logger): void {
  const send = exporter.export.bind(exporter);
  let isFailing = false;
  const told = ({ code, error }: ExportResult): void => {
    const failed = code !== ExportResultCode.SUCCESS;
    if (failed === isFailing) return;
    isFailing = failed;
    if (failed) logger.warn("telemetry cannot be sent", { signal, reason: excerpt(error?.message ?? "unknown") });
    else logger.info("telemetry is sent again", { signal });
  };
  exporter.export = (batch, done) =>
    send(batch, (result) => {
      told(result);
      done(result);
    });
}
