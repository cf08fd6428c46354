import { format, resolveConfig } from "prettier";
import { fileURLToPath } from "node:url";
import { fileVariableOf, type Variable, type VariableGroup } from "../../src/config/variable.ts";
import { VARIABLES } from "../../src/config/variables.ts";
import { AROUND, GROUPS } from "./prose.ts";

/** The whole page, formatted as the repository's formatter would. */
export async function renderConfigurationReference(): Promise<string> {
  const groups = [...new Set(VARIABLES.map(({ group }) => group))];
  const page = [AROUND.before, ...groups.map(section), AROUND.after].join("\n\n");
  const target = fileURLToPath(new URL("../../docs/configuration.md", import.meta.url));
  return format(page, { ...(await resolveConfig(target)), parser: "markdown" });
}

function section(group: VariableGroup): string {
  const { title, text } = GROUPS[group];
  const rows = VARIABLES.filter((variable) => variable.group === group).map(row);
  const table = ["| variable | default | accepted | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
  return [`## ${title}`, text, table].filter((part) => part !== "").join("\n\n");
}

function row(variable: Variable): string {
  const name = variable.secret ? `\`${variable.name}\`, \`${fileVariableOf(variable)}\`` : `\`${variable.name}\``;
  return `| ${[name, unset(variable), variable.format.accepted, variable.meaning].map(cell).join(" | ")} |`;
}

function unset(variable: Variable): string {
  if (variable.presence === "required") return "**required**";
  return variable.presence === "defaulted" ? `\`${variable.default}\`` : (variable.whenUnset ?? "");
}

/** A bar would end the cell, and a line break the row. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll(/\s*\n\s*/g, " ");
}
