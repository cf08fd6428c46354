/**
 * Writes deploy/observability from the service levels and alerts in scripts/observability: rules and their tests for Prometheus, a dashboard
 * for Grafana, alarms and queries for CloudWatch.
 *
 * Run after a change there: `bun scripts/generate-observability.ts`. With `--check` nothing is written, and the exit status is 1 when a
 * committed file differs.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { renderObservability } from "./observability/render.ts";

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

for (const [path, text] of await renderObservability()) {
  const target = fileURLToPath(new URL(`../deploy/observability/${path}`, import.meta.url));
  if (!values.check) {
    await Bun.write(target, text);
  } else if (
    (await Bun.file(target)
      .text()
      .catch(() => "")) !== text
  ) {
    console.error(
      `deploy/observability/${path} is not what scripts/observability says: run bun scripts/generate-observability.ts`,
    );
    process.exitCode = 1;
  }
}
