import { expect, test } from "bun:test";
import type { ValkeyEvent } from "../../../src/valkey/events.ts";
import { createReporter } from "../../../src/valkey/reporter.ts";

test("conditions are told when they change and only then, for each server on its own", () => {
  const told: ValkeyEvent[] = [];
  const reporter = createReporter((event) => told.push(event));
  const refused = { reason: "refused", detail: "one" } as const;
  const noperm = { reason: "noperm", detail: "two" } as const;
  reporter.state("a:1", "down", refused);
  reporter.state("a:1", "down", { ...refused, detail: "said differently" });
  reporter.state("b:1", "down", refused);
  reporter.state("a:1", "down", { ...refused, reason: "dns" });
  reporter.state("a:1", "up");
  reporter.state("a:1", "up");
  reporter.accepted("a:1", "GET");
  for (let time = 0; time < 3; time++) reporter.refused("a:1", "GET", noperm);
  for (let time = 0; time < 3; time++) reporter.accepted("a:1", "GET");
  reporter.forgotten("never seen:1");
  reporter.forgotten("a:1");
  reporter.state("a:1", "up");
  expect(told).toEqual([
    { kind: "state", server: "a:1", state: "down", failure: refused },
    { kind: "state", server: "b:1", state: "down", failure: refused },
    { kind: "state", server: "a:1", state: "down", failure: { ...refused, reason: "dns" } },
    { kind: "state", server: "a:1", state: "up" },
    { kind: "command-refused", server: "a:1", command: "GET", failure: noperm },
    { kind: "command-accepted", server: "a:1", command: "GET" },
    { kind: "forgotten", server: "a:1" },
    { kind: "state", server: "a:1", state: "up" },
  ]);
});
