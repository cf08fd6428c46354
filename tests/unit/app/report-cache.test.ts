import { expect, test } from "bun:test";
import { createCacheReport } from "../../../src/app/report-cache.ts";
import { createJsonLogger } from "../../../src/telemetry/logger.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

test("an entry that is not used is one line for each kind and minute, with how many there were", () => {
  const clock = createFixedClock();
  const lines: string[] = [];
  const report = createCacheReport(
    createJsonLogger("info", clock.nowMs, (line) => void lines.push(line)),
    clock,
  );
  for (let count = 0; count < 500; count++) report.unused("broken-json");
  report.unused("expiry");
  clock.advance(59_999);
  report.unused("broken-json");
  clock.advance(1);
  report.unused("broken-json");
  const told = lines.map((line): unknown => JSON.parse(line));
  expect(told).toMatchObject([
    { level: "warn", message: "cache entry not used", why: "broken-json", count: 1 },
    { why: "expiry", count: 1 },
    { why: "broken-json", count: 501 },
  ]);
});
