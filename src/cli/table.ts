import type { TextOutput } from "./command.ts";
import { escapeControls } from "./printable.ts";
import { bold } from "./style.ts";

export interface Cell {
  readonly text: string;
  readonly style?: (text: string, coloured: boolean) => string;
}

/**
 * Rows for people: on a terminal with a header and columns that line up, else one line a row with tabs between, which
 * `cut` and `awk` take. Control characters in cells are escaped.
 */
export function formatTable(header: readonly string[], rows: readonly (readonly Cell[])[], output: TextOutput): string {
  const clean = rows.map((row) => row.map((cell) => ({ ...cell, text: escapeControls(cell.text) })));
  if (!output.isTerminal) return clean.map((row) => `${row.map(({ text }) => text).join("\t")}\n`).join("");
  const all = [header.map((text): Cell => ({ text, style: bold })), ...clean];
  const widths = header.map((_, column) => Math.max(...all.map((row) => Bun.stringWidth(row[column]?.text ?? ""))));
  return all.map((row) => `${formatRow(row, widths, output.isColoured)}\n`).join("");
}

function formatRow(row: readonly Cell[], widths: readonly number[], coloured: boolean): string {
  const cells = row.map(({ text, style = (plain) => plain }, column) => {
    const isLast = column === row.length - 1;
    const padding = isLast ? 0 : (widths[column] ?? 0) - Bun.stringWidth(text);
    return style(text, coloured) + " ".repeat(Math.max(0, padding));
  });
  return cells.join("  ");
}
