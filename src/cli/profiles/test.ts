import { readCases, type PolicyCase } from "../../profiles/cases.ts";
import { MAX_PROFILE_FILE_BYTES } from "../../profiles/source-text.ts";
import { type CaseResult, runCases } from "../../vending/run-cases.ts";
import { FORMAT_OPTION, type Command, type CommandIo } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { green, red } from "../style.ts";
import { formatTable, type Cell } from "../table.ts";
import { describe } from "./explanation-view.ts";
import { formatFindings } from "./findings-text.ts";
import { openPolicy } from "./open-policy.ts";
import { APPS_OPTION, POLICY_REPOSITORY_OPTION, readApps, readNamedFile, readRepository } from "./profile-options.ts";

/**
 * `profiles test`: JSON `{"passed", "failed", "cases": [{"name", "profile", "expect", "actual", "passed"}]}`, or a table and a summary.
 * Exit 1 when a case differs.
 */
export const test: Command = {
  operands: { usage: "FILE CASES", least: 2, most: 2 },
  options: [APPS_OPTION, POLICY_REPOSITORY_OPTION, FORMAT_OPTION],
  examples: ["chinmina-bridge profiles test profiles.yaml cases.yaml"],
  run: async (invocation, io) => {
    const isAppUsable = readApps(invocation);
    const protectedRepository = readRepository(invocation, "policy-repository");
    const [path = "", casesPath = ""] = invocation.operands;
    const generation = await openPolicy(path, io);
    const cases = await openCases(casesPath, io);
    const results = runCases(cases, { generation, isAppUsable, protectedRepository });
    const isJson = invocation.text("format") === "json";
    await io.out.write(isJson ? asJson(results) : asText(results, io));
    return results.every(({ passed }) => passed) ? 0 : 1;
  },
};

async function openCases(path: string, io: CommandIo): Promise<readonly PolicyCase[]> {
  const bytes = await readNamedFile(path, MAX_PROFILE_FILE_BYTES, io);
  const reading = readCases(bytes);
  if (reading.kind === "cases") return reading.cases;
  await io.err.write(formatFindings([{ path, bytes, findings: reading.findings }], io.err));
  throw new CommandFailure(`${printable(path)} is no table of cases`, {
    code: "cases-malformed",
    advice: "docs/profiles.md shows one: cases: [{profile, claims, expect}]",
  });
}

function asJson(results: readonly CaseResult[]): string {
  const cases = results.map(({ policyCase: { name, profile, expect }, explanation, passed }) => ({
    name,
    profile,
    expect,
    actual: explanation.outcome,
    passed,
  }));
  const passed = cases.filter((one) => one.passed).length;
  return `${JSON.stringify({ passed, failed: cases.length - passed, cases })}\n`;
}

function asText(results: readonly CaseResult[], { out }: CommandIo): string {
  const rows = results.map(({ policyCase, explanation, passed }): readonly Cell[] => [
    passed ? { text: "ok", style: green } : { text: "FAILED", style: red },
    { text: policyCase.name },
    { text: policyCase.profile },
    { text: passed ? explanation.outcome : `${explanation.outcome}, not ${policyCase.expect}: ${whyOf(explanation)}` },
  ]);
  const passed = results.filter((one) => one.passed).length;
  const failed = results.length - passed;
  const summary = `${passed} passed, ${failed} failed`;
  return `${formatTable(["", "CASE", "PROFILE", "OUTCOME"], rows, out)}${(failed === 0 ? green : red)(summary, out.isColoured)}\n`;
}

function whyOf(explanation: CaseResult["explanation"]): string {
  return explanation.outcome === "ambiguous" ? "write repo:NAME or org:NAME" : describe(explanation);
}
