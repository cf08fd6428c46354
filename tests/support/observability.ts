import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const FOLDER = join(import.meta.dir, "../../deploy/observability");

export const observabilityFile = (path: string): string => join(FOLDER, path);
const text = (path: string): string => readFileSync(observabilityFile(path), "utf8");

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: { readonly summary: string; readonly runbook: string };
}

export function readRules(): readonly Rule[] {
  return parse(text("prometheus/rules.yaml")).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);
}

export interface RuleTest {
  readonly name: string;
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly any[] }[];
}

export function readRuleTests(): readonly RuleTest[] {
  return parse(text("prometheus/rules.test.yaml")).tests;
}

export function readDashboard(): any {
  return JSON.parse(text("grafana/dashboard.json"));
}

export function readCloudWatch(): Readonly<Record<string, { readonly Type: string; readonly Properties: any }>> {
  return parse(text("cloudwatch.yaml")).Resources;
}

/** Every PromQL expression of the rules and the dashboard. */
export function allQueries(): readonly string[] {
  const panels = readDashboard().panels.flatMap(({ targets = [] }: any) => targets.map(({ expr }: any) => expr));
  const variables = readDashboard().templating.list.flatMap(({ type, query }: any) =>
    type === "query" ? [query] : [],
  );
  return [...readRules().map(({ expr }) => expr), ...panels, ...variables];
}
