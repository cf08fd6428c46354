import { describe, expect, test } from "bun:test";
import { reportLogDriver } from "../../../src/app/ecs-log-driver.ts";
import { boundedFetch } from "../../../src/lib/bounded-fetch.ts";
import type { LogFields } from "../../../src/telemetry/logger.ts";
import type { Metrics } from "../../../src/telemetry/metrics.ts";

const WARNED = "the log driver may drop audit lines: set its mode to blocking in the task definition";
const UNKNOWN = "whether the log driver may drop audit lines cannot be told";

/** What the service says and shows for this answer of the metadata endpoint. */
async function report(
  answer: () => Response,
): Promise<{ warnings: (string | LogFields | undefined)[][]; blocking: number }> {
  using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  const warnings: (string | LogFields | undefined)[][] = [];
  const warn = (message: string, fields?: LogFields): void => void warnings.push([message, fields]);
  let read = (): readonly { readonly value: number }[] => [];
  const gauge: Metrics["gauge"] = (_name, reader) => (read = reader);
  await reportLogDriver({
    metadataUrl: `http://127.0.0.1:${server.port}/v4/abc`,
    fetch: boundedFetch,
    logger: { debug: () => undefined, info: () => undefined, warn, error: () => undefined },
    metrics: { count: () => undefined, record: () => undefined, gauge },
  });
  return { warnings, blocking: read()[0]?.value ?? NaN };
}

describe("reportLogDriver()", () => {
  test("is silent about a driver that blocks", async () => {
    const answer = () => Response.json({ DockerId: "a", LogDriver: "awslogs", LogOptions: { mode: "blocking" } });
    expect(await report(answer)).toEqual({ warnings: [], blocking: 1 });
  });

  test.each([
    ["a mode that drops", { LogDriver: "awslogs", LogOptions: { mode: "non-blocking" } }, "awslogs", "non-blocking"],
    ["no mode, which drops", { LogDriver: "awslogs", LogOptions: { "awslogs-group": "g" } }, "awslogs", "not set"],
    ["no options", { LogDriver: "awsfirelens" }, "awsfirelens", "not set"],
    ["nothing about logs", {}, "unknown", "not set"],
    ["a mode that nobody knows", { LogDriver: "x", LogOptions: { mode: "Blocking" } }, "x", "Blocking"],
  ])("warns of %s", async (_what, body, driver, mode) => {
    const { warnings, blocking } = await report(() => Response.json(body));
    expect(warnings).toEqual([[WARNED, { driver, mode }]]);
    expect(blocking).toBe(0);
  });

  test.each([
    ["an error", () => new Response("no", { status: 500 })],
    ["what is no JSON", () => new Response("<html>")],
    ["JSON of another shape", () => Response.json({ LogOptions: { mode: 7 } })],
    ["a redirect", () => Response.redirect("http://127.0.0.1:1/")],
    ["too much", () => new Response("x".repeat(300_000))],
  ])("takes %s for not blocking", async (_what, answer) => {
    const { warnings, blocking } = await report(answer);
    expect(warnings.map(([message]) => message)).toEqual([UNKNOWN]);
    expect(blocking).toBe(0);
  });
});
