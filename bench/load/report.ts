import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeMachine } from "./machine.ts";
import { RESULTS } from "./options.ts";

/** A table as the documentation shows it; figures are in the columns after the first `labels`. */
export interface Table {
  readonly columns: readonly string[];
  /** How many of the columns, from the left, are words. */
  readonly labels: number;
  readonly rows: readonly (readonly string[])[];
}

/** What one script found out. */
export interface Report {
  /** Of the files, and of the block that shows the table in the documentation. */
  readonly name: string;
  readonly table: Table;
  /** What belongs to the table and is no row of it. */
  readonly notes?: Readonly<Record<string, string>>;
  /** By name, for scripts that calculate with them. */
  readonly figures?: Readonly<Record<string, number>>;
  /** SVG by the end of the file's name. */
  readonly charts?: Readonly<Record<string, string>>;
}

/** Table, JSON and charts into the folder of results, with what they were made on; the table also on standard output. */
export function publish({ name, table, notes = {}, figures = {}, charts = {} }: Report): void {
  mkdirSync(RESULTS, { recursive: true });
  const machine = describeMachine();
  const facts = Object.entries({ ...notes, ...machine }).map(([key, value]) => `- ${key}: ${value}`);
  const text = `${renderTable(table)}\n\n${facts.join("\n")}\n`;
  console.log(`\n${name}\n\n${text}`);
  writeFileSync(join(RESULTS, `${name}.md`), text);
  writeFileSync(join(RESULTS, `${name}.json`), `${JSON.stringify({ machine, notes, figures, table }, undefined, 2)}\n`);
  for (const [end, svg] of Object.entries(charts)) writeFileSync(join(RESULTS, `${name}-${end}.svg`), svg);
}

export function renderTable({ columns, labels, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_column, index) => (index < labels ? "---" : "---:"));
  return [columns, rule, ...rows].map(line).join("\n");
}

/** `-` for what could not be measured. */
export function show(value: number, render: (value: number) => string): string {
  return Number.isFinite(value) ? render(value) : "-";
}

export const time = (us: number): string =>
  show(us, (value) => (value < 1000 ? `${value.toFixed(value < 10 ? 1 : 0)} us` : `${(value / 1000).toFixed(2)} ms`));
export const mebibytes = (value: number): string => show(value, (mib) => `${mib.toFixed(0)} MiB`);
export const count = (value: number): string => show(value, (number) => Math.round(number).toLocaleString("en"));
export const ratio = (value: number): string => show(value, (number) => number.toFixed(2));
export const percent = (value: number): string => show(value, (share) => `${(share * 100).toFixed(1)} %`);
