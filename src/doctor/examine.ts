import { describeCauses } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import { type Check, failed, type Finding, worstOf } from "./check.ts";
import { REMEDIES } from "./remedies.ts";

/** Over the 10 seconds that each client gives a call: where this ends a check, something hangs that has no deadline of its own. */
const LONGEST_CHECK_MS = 15_000;

/** What a failure of a check means; undefined for one that is not expected. */
export type Explain = (error: unknown) => Finding<never> | undefined;

/** The checks of one subject, in their order. */
export interface Examination {
  /**
   * Runs a check, within a deadline, and gives what it is good for to the next one: undefined after a failure. What it throws is put
   * into words by `explain`. Never rejects.
   */
  readonly run: <Value>(
    name: string,
    check: (signal: AbortSignal) => Promise<Finding<Value>>,
    explain?: Explain,
  ) => Promise<Value | undefined>;
  readonly skip: (name: string, why: string) => void;
}

/** Runs the checks of a subject and gives them as one, beside what `work` resolves with. */
export async function examine<Value>(
  name: string,
  clock: Clock,
  work: (examination: Examination) => Promise<Value>,
): Promise<{ readonly check: Check; readonly value: Value }> {
  const checks: Check[] = [];
  const startedMs = clock.monotonicMs();
  const value = await work({
    run: async (step, check, explain) => {
      const stepStartedMs = clock.monotonicMs();
      const finding = await settle(check, clock, explain);
      checks.push(toCheck(step, finding, clock.monotonicMs() - stepStartedMs));
      return finding.outcome === "failed" ? undefined : finding.value;
    },
    skip: (step, why) => void checks.push({ name: step, outcome: "skipped", detail: why, durationMs: 0, checks: [] }),
  });
  const durationMs = clock.monotonicMs() - startedMs;
  return { check: { name, outcome: worstOf(checks), detail: "", durationMs, checks }, value };
}

function toCheck(name: string, finding: Finding<unknown>, durationMs: number): Check {
  const { detail } = finding;
  if (finding.outcome !== "ok") {
    const { outcome, code } = finding;
    return { name, outcome, problem: { code, remedy: REMEDIES[code] }, detail, durationMs, checks: [] };
  }
  const { checks = [] } = finding;
  return { name, outcome: checks.length === 0 ? "ok" : worstOf(checks), detail, durationMs, checks };
}

async function settle<Value>(
  check: (signal: AbortSignal) => Promise<Finding<Value>>,
  clock: Clock,
  explain: Explain = () => undefined,
): Promise<Finding<Value>> {
  const late = Promise.withResolvers<Finding<Value>>();
  const abort = new AbortController();
  const cancel = clock.after(LONGEST_CHECK_MS, () => {
    late.resolve(failed("no-answer-in-time", `no end after ${LONGEST_CHECK_MS / 1000} seconds`));
    abort.abort(new Error("no answer in time"));
  });
  const settled = Promise.try(check, abort.signal).catch(
    (error: unknown) => explain(error) ?? failed("unexpected", describeUnexpected(error)),
  );
  try {
    return await Promise.race([settled, late.promise]);
  } finally {
    cancel();
  }
}

/** Errors that are not ours may carry anything in their text, so only their kind is told. */
function describeUnexpected(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string" && /^[\w-]{1,40}$/.test(error.code))
    return `${error.name} ${error.code}`;
  return error instanceof Error ? error.name : describeCauses(error);
}
