/** A test that failed, and its file; without a name: the file as a whole. */
export interface Failure {
  readonly file: string;
  readonly name: string;
}

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly Failure[];
}

/** Reads what `bun test` said on standard error. A run that ended badly without a failed test has one failure without a file. */
export function readReport(reported: string, exitCode: number): Outcome {
  const text = Bun.stripANSI(reported);
  const failures = failuresIn(text);
  const failed = Math.max(count(text, /^ *(\d+) fail$/m), failures.length);
  if (exitCode === 0 && failed === 0) return { passed: count(text, /^ *(\d+) pass$/m), failed: 0, failures: [] };
  const named = failures.length > 0 ? failures : [{ file: "", name: `ended with status ${exitCode}` }];
  return { passed: count(text, /^ *(\d+) pass$/m), failed: Math.max(1, failed), failures: named };
}

/** What is worth showing of a run: names of tests that passed are not. */
export function shown(reported: string): string {
  return reported
    .split("\n")
    .filter((line) => !/^(?:\(pass\)|✓)/.test(Bun.stripANSI(line)))
    .join("\n");
}

function failuresIn(text: string): Failure[] {
  const failures: Failure[] = [];
  let file = "";
  // A long run ends with all failures once more.
  const [once = ""] = text.split(/^\d+ tests? failed:$/m);
  for (const line of once.split("\n")) {
    file = /^(\S+\.test\.ts):$/.exec(line)?.[1] ?? file;
    const name = /^\(fail\) (.*?)(?: \[[\d.]+m?s\])?$/.exec(line)?.[1];
    if (name !== undefined) failures.push({ file, name });
    if (line === "# Unhandled error between tests") failures.push({ file, name: "an error outside its tests" });
  }
  return failures;
}

function count(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}
