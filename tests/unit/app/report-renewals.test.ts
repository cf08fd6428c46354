import { expect, test } from "bun:test";
import { createRenewalReport } from "../../../src/app/report-renewals.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

test("an outage is one line, its end another, however many tokens and tries there were", () => {
  const lines: string[] = [];
  const write = (level: string) => (message: string, fields?: object) =>
    void lines.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  const logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
  const clock = createFixedClock();
  const report = createRenewalReport(logger, clock);
  report("renewed");
  for (let tries = 0; tries < 500; tries++) {
    clock.advance(1000);
    report("outage");
  }
  report("adopted");
  report("renewed");
  report("outage");
  report("refused");
  expect(lines).toEqual([
    "warn cached tokens cannot be renewed; those held serve on {}",
    'info cached tokens are renewed again {"failedTries":500}',
    'info a cached token was not renewed and serves no more {"outcome":"refused"}',
  ]);
});
