import { OUTCOMES, type Check, type Outcome } from "../../doctor/check.ts";
import type { Diagnosis } from "../../doctor/diagnose.ts";
import type { TextOutput } from "../command.ts";
import { escapeControls } from "../printable.ts";
import { bold, green, red, yellow } from "../style.ts";

/** For programs: one document, names that stay. */
export function toJson({ checks }: Diagnosis, durationMs: number): string {
  const healthy = checks.every(({ outcome }) => outcome !== "failed");
  return `${JSON.stringify({ healthy, durationMs: Math.round(durationMs), checks: checks.map(describe) })}\n`;
}

function describe({ name, outcome, problem, detail, durationMs, checks }: Check): object {
  return {
    name,
    outcome,
    ...(problem === undefined ? {} : { code: problem.code }),
    ...(detail === "" ? {} : { detail }),
    ...(problem === undefined ? {} : { remedy: problem.remedy }),
    durationMs: Math.round(durationMs),
    ...(checks.length === 0 ? {} : { checks: checks.map(describe) }),
  };
}

/** For people: a tree in the order of `checks`, what to do below each problem, and one line that sums up. */
export function formatDiagnosis({ checks }: Diagnosis, durationMs: number, output: TextOutput): string {
  const lines = checks.flatMap((check) => formatCheck(check, { first: "", next: "" }, output.isColoured));
  return [...lines, "", summarize(checks, durationMs, output.isColoured), ""].join("\n");
}

interface Indent {
  /** Before the check's own line. */
  readonly first: string;
  /** Before every line below it. */
  readonly next: string;
}

const LABELS = {
  ok: { text: "ok", style: green },
  skipped: { text: "skipped", style: (text: string) => text },
  warning: { text: "warning", style: yellow },
  failed: { text: "FAILED", style: red },
} as const;

function formatCheck(check: Check, { first, next }: Indent, isColoured: boolean): readonly string[] {
  const { name, outcome, problem, detail, durationMs, checks } = check;
  const label = LABELS[outcome];
  const time = outcome === "skipped" || durationMs === 0 ? "" : ` (${formatTime(durationMs)})`;
  const code = problem === undefined ? "" : ` [${problem.code}]`;
  const found = detail === "" ? "" : `: ${escapeControls(detail)}`;
  const head = `${first}${label.style(label.text, isColoured)} ${bold(escapeControls(name), isColoured)}${time}${found}${code}`;
  const below = checks.length > 0 ? "│  " : "   ";
  const remedy = problem === undefined ? [] : [`${next}${below}= ${escapeControls(problem.remedy)}`];
  const within = checks.flatMap((one, index) => {
    const isLast = index === checks.length - 1;
    const indent = { first: `${next}${isLast ? "└─ " : "├─ "}`, next: `${next}${isLast ? "   " : "│  "}` };
    return formatCheck(one, indent, isColoured);
  });
  return [head, ...remedy, ...within];
}

function formatTime(durationMs: number): string {
  return durationMs < 1000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1000).toFixed(1)} s`;
}

/** Counts what was looked at by itself, not what only has others within it. */
function summarize(checks: readonly Check[], durationMs: number, isColoured: boolean): string {
  const outcomes = checks.flatMap(leaves).map(({ outcome }) => outcome);
  const count = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length;
  const counted = [...OUTCOMES]
    .reverse()
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `${count(outcome)} ${outcome}`);
  const colour = count("failed") > 0 ? red : count("warning") > 0 ? yellow : green;
  const where = count("failed") + count("warning") > 0 ? "; docs/errors.md has an entry of each code" : "";
  return colour(`${counted.join(", ")} in ${formatTime(durationMs)}${where}`, isColoured);
}

function leaves(check: Check): readonly Check[] {
  return check.checks.length === 0 ? [check] : check.checks.flatMap(leaves);
}
