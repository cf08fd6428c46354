import { Ajv } from "ajv";
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { renderObservability } from "../../scripts/observability/render.ts";
import { BURN_RATES, SERVICE_LEVELS } from "../../scripts/observability/slos.ts";
import {
  allQueries,
  observabilityFile,
  readCloudWatch,
  readDashboard,
  readRules,
  readRuleTests,
} from "../support/observability.ts";

const ROOT = join(import.meta.dir, "../..");
const SCHEMA = join(ROOT, "tests/vectors/grafana/prometheus-dashboard.schema.json");
const runbook = readFileSync(join(ROOT, "docs/operations.md"), "utf8");
const alerts = readRules().filter(({ alert }) => alert !== undefined);

describe("deploy/observability", () => {
  test("is what scripts/observability says", async () => {
    for (const [path, text] of await renderObservability()) {
      expect(readFileSync(observabilityFile(path), "utf8")).toBe(text);
    }
  });

  test("has an alert for each service level at burn rates of 14.4, 6, 3 and 1 over two windows", () => {
    for (const { name } of SERVICE_LEVELS) {
      const rates = alerts
        .filter(({ alert }) => alert === `Chinmina${name}Burn`)
        .map(({ labels }) => labels?.["burn_rate"]);
      expect(rates).toEqual(["14.4", "6", "3", "1"]);
    }
    expect(BURN_RATES).toHaveLength(4);
  });

  test("tests that each alert fires, and that it is silent", () => {
    const tests = readRuleTests();
    for (const { alert = "", labels } of alerts) {
      const rate = labels?.["burn_rate"];
      const name = rate === undefined ? alert : `${alert} ${rate}`;
      const expected = (says: string): number => {
        const [one] = tests.filter((each) => each.name === `${name} ${says}`).flatMap((each) => each.alert_rule_test);
        if (one === undefined || one.alertname !== alert) throw new Error(`no test that ${name} ${says}`);
        const matching = one.exp_alerts.filter((each) => rate === undefined || each.exp_labels.burn_rate === rate);
        return matching.length;
      };
      expect({ name, fires: expected("fires"), silent: expected("is silent") }).toEqual({ name, fires: 1, silent: 0 });
    }
  });

  test("has a section of the runbook for each alert, at the address that the alert names", () => {
    for (const { alert = "", annotations } of alerts) {
      expect(runbook).toContain(`\n### ${alert}\n`);
      expect(annotations?.runbook).toEndWith(`docs/operations.md#${alert.toLowerCase()}`);
    }
  });

  test("has the alarms of CloudWatch by names that the runbook knows", () => {
    const alarms = Object.entries(readCloudWatch()).filter(([, { Type }]) => Type === "AWS::CloudWatch::Alarm");
    for (const [name] of alarms) {
      const section = /^(Availability|Latency|Audit)Burn/.test(name)
        ? `Chinmina${name.replace(/Burn.*/, "Burn")}`
        : name;
      expect(runbook).toContain(`\n### ${section}\n`);
    }
    expect(alarms.length).toBeGreaterThan(30);
  });
});

describe("the filters of CloudWatch", () => {
  const source = [...new Bun.Glob("src/**/*.ts").scanSync(ROOT)]
    .map((file) => readFileSync(join(ROOT, file), "utf8"))
    .join("\n");
  const resources = Object.values(readCloudWatch());
  const filters = resources
    .filter(({ Type }) => Type === "AWS::Logs::MetricFilter")
    .map(({ Properties }) => Properties);

  test("look for texts that the service writes", () => {
    const texts = filters.flatMap(({ FilterPattern }) =>
      [...FilterPattern.matchAll(/\$\.(?:message|error) !?= "([^"]+)"/g)].map(([, text]: [string, string]) => text),
    );
    const written = (text: string): boolean =>
      source.includes(
        text
          .replaceAll("*", "")
          .replace(/^\w+: /, "")
          .trim(),
      );
    expect(
      [...new Set(texts)].filter((text) => !written(text) && !/^\w+: \*$/.test(text) && text !== "*status 429*"),
    ).toEqual([]);
    expect(texts.length).toBeGreaterThan(15);
  });

  test("make every metric that an alarm looks at", () => {
    const made = new Set(filters.map(({ MetricTransformations: [transformation] }) => transformation.MetricName));
    const looked = resources
      .filter(({ Type }) => Type === "AWS::CloudWatch::Alarm")
      .flatMap(({ Properties: { MetricName, Metrics = [] } }) =>
        [MetricName].concat(Metrics.map(({ MetricStat }: any) => MetricStat?.Metric.MetricName)),
      )
      .filter((name) => name !== undefined);
    expect(looked.filter((name) => !made.has(name))).toEqual([]);
    expect([...made].filter((name) => !looked.includes(name))).toEqual([]);
  });
});

describe("the dashboard", () => {
  const ajv = new Ajv({ strict: false });
  const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, "utf8")));

  test("is one by Grafana's own schema", () => {
    const isValid = validate(readDashboard());
    expect(validate.errors).toBeNull();
    expect(isValid).toBe(true);
  });

  test.each([
    ["a panel without a type", (dashboard: any) => delete dashboard.panels[1].type],
    ["a query without an expression", (dashboard: any) => delete dashboard.panels[1].targets[0].expr],
    ["a property that there is not", (dashboard: any) => (dashboard.panels[1].colour = "red")],
    ["a position that is no number", (dashboard: any) => (dashboard.panels[1].gridPos.x = "left")],
  ])("would not be one with %s", (_what, spoil) => {
    const dashboard = readDashboard();
    spoil(dashboard);
    expect(validate(dashboard)).toBe(false);
  });

  test("has panels that do not overlap, each with an id and queries of its own", () => {
    const { panels } = readDashboard();
    expect(new Set(panels.map(({ id }: any) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { gridPos, type, targets } of panels) {
      if (type !== "row") expect(new Set(targets.map(({ refId }: any) => refId)).size).toBe(targets.length);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${x},${y}`)).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
    expect(allQueries().length).toBeGreaterThan(60);
  });
});
