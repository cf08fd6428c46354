import { configurationChecks } from "../app/configuration-checks.ts";
import { readConfiguration, type ConfigurationResult } from "../config/read-configuration.ts";
import { FORMAT_OPTION, type Command, type TextOutput } from "./command.ts";
import { green, red, yellow } from "./style.ts";
import { formatTable, type Cell } from "./table.ts";

/**
 * `config check`: JSON `{"valid", "problems": [{"variable", "problem", "accepted"}], "warnings": [{"variable", "warning"}]}`,
 * or a table. Exit 1 when there is a problem; warnings alone are 0.
 */
export const configCheck: Command = {
  options: [FORMAT_OPTION],
  examples: ["chinmina-bridge config check", "chinmina-bridge config check --format json"],
  run: async (invocation, { environment, out }) => {
    const result = readConfiguration(environment, configurationChecks);
    await out.write(invocation.text("format") === "json" ? asJson(result) : asText(result, out));
    return result.kind === "valid" ? 0 : 1;
  },
};

function asJson(result: ConfigurationResult): string {
  const problems = result.kind === "valid" ? [] : result.problems;
  return `${JSON.stringify({ valid: result.kind === "valid", problems, warnings: result.warnings })}\n`;
}

function asText(result: ConfigurationResult, out: TextOutput): string {
  const problems = result.kind === "valid" ? [] : result.problems;
  const rows: Cell[][] = [
    ...problems.map(({ variable, problem, accepted }) => [
      { text: "error", style: red },
      { text: variable },
      { text: `${problem}; accepted: ${accepted}` },
    ]),
    ...result.warnings.map(({ variable, warning }) => [
      { text: "warning", style: yellow },
      { text: variable },
      { text: warning },
    ]),
  ];
  const table = rows.length === 0 ? "" : formatTable(["", "VARIABLE", "FINDING"], rows, out);
  return result.kind === "valid" ? `${table}${green("The configuration is valid.", out.isColoured)}\n` : table;
}
