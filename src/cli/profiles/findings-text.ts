import type { Finding } from "../../profiles/finding.ts";
import { REMEDIES } from "../../profiles/remedies.ts";
import { createExtentReader, type ExtentReader } from "../../profiles/source-extent.ts";
import type { TextOutput } from "../command.ts";
import { escapeControls, printable } from "../printable.ts";
import { bold, green, red, yellow } from "../style.ts";
import { summarize, type CheckedFile } from "./checked-file.ts";

/** Of one file; nobody reads further, and underlining costs time. */
const MOST_SHOWN = 200;

/** Every finding, up to 200 of a file, with its line, what it points at underlined, and what to do; then one line that sums up. */
export function formatFindings(checked: readonly CheckedFile[], { isColoured }: TextOutput): string {
  const parts = checked.flatMap(({ path, bytes, findings }) => {
    if (findings.length === 0) return [];
    const excerpts = createExcerpts(bytes, isColoured);
    const shown = findings.slice(0, MOST_SHOWN);
    const more = findings.length - shown.length;
    return [
      ...shown.map((finding) => formatFinding(finding, path, excerpts(finding), isColoured)),
      ...(more === 0 ? [] : [`${printable(path)}: ${more} more, which --format json tells\n\n`]),
    ];
  });
  const { errors, warnings } = summarize(checked);
  const summary = describe(checked, errors, warnings);
  const colour = errors > 0 ? red : warnings > 0 ? yellow : green;
  return `${parts.join("")}${colour(summary, isColoured)}\n`;
}

function describe(checked: readonly CheckedFile[], errors: number, warnings: number): string {
  const files = counted(checked.length, "file");
  if (errors + warnings > 0) {
    return `${counted(errors, "error")} and ${counted(warnings, "warning")} in ${files}; docs/profiles.md explains each code`;
  }
  const profiles = checked.reduce((sum, { counts }) => sum + (counts?.pipeline.valid ?? 0), 0);
  const shared = checked.reduce((sum, { counts }) => sum + (counts?.organization.valid ?? 0), 0);
  return `No problems in ${files}: ${counted(profiles, "pipeline profile")}, ${counted(shared, "organization profile")}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function formatFinding(finding: Finding, path: string, excerpt: readonly string[], isColoured: boolean): string {
  const { severity, code, message, line, column, profile } = finding;
  const colour = severity === "error" ? red : yellow;
  const place = bold(`${printable(path)}:${line}:${column}`, isColoured);
  const whose = profile === undefined ? "" : ` (${printable(profile)})`;
  const head = `${place}: ${colour(severity, isColoured)}: ${escapeControls(message)} [${code}]${whose}`;
  return [head, ...excerpt, `  = ${REMEDIES[code]}`, "", ""].join("\n");
}

/** A line is shown this far before and after what is underlined. */
const CONTEXT_COLUMNS = 60;
const LONGEST_UNDERLINE = 80;
/** What is wrong with the file as a whole has no line to show; nor has one that is not text from its start. */
function concernsWholeFile({ code, line, column }: Finding): boolean {
  return code === "file-too-large" || (code === "not-utf8" && line === 1 && column === 1);
}

type Excerpts = (finding: Finding) => readonly string[];

function createExcerpts(bytes: Uint8Array, isColoured: boolean): Excerpts {
  const text = new TextDecoder().decode(bytes);
  const lines = text.split(/\r?\n/);
  let extents: ExtentReader | undefined;
  return (finding) => {
    const line = lines[finding.line - 1];
    if (line === undefined || line === "" || concernsWholeFile(finding)) return [];
    extents ??= createExtentReader(text);
    const from = finding.column - 1;
    const length = Math.min(extents(finding), LONGEST_UNDERLINE);
    const start = Math.max(0, from - CONTEXT_COLUMNS);
    const before = visible(line.slice(start, from));
    const marked = visible(line.slice(from, from + length));
    const after = visible(line.slice(from + length, from + length + CONTEXT_COLUMNS));
    const gutter = String(finding.line).padStart(5);
    const colour = finding.severity === "error" ? red : yellow;
    const underline = colour("^".repeat(Math.max(1, Bun.stringWidth(marked))), isColoured);
    return [
      `${gutter} | ${before}${marked}${after}`.trimEnd(),
      `${" ".repeat(gutter.length)} | ${" ".repeat(Bun.stringWidth(before))}${underline}`,
    ];
  };
}

function visible(text: string): string {
  return escapeControls(text.replaceAll("\t", " "));
}
