/**
 * How long `profiles check` of dist/chinmina-bridge takes for policy files that are meant to cost time: what a pull request waits for, before
 * anybody has read it. Shows those that take longest, and one of two profiles, which is the start of the binary.
 *
 *   bun bench/policy-files.ts [SECONDS] [ROUNDS]   each file once a round; the seconds are not used
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HOSTILE_FILES } from "../tests/support/hostile-files.ts";
import { leaveServerCores, median, onServerCores } from "./load/machine.ts";
import { LENGTH } from "./load/options.ts";
import { publish, show } from "./load/report.ts";

const BINARY = join(import.meta.dir, "../dist/chinmina-bridge");
const SHOWN = 10;
const ORDINARY = "two profiles";
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  [ORDINARY]:
    "pipeline: {profiles: [{name: a, permissions: [contents:read]}, {name: b, permissions: [contents:write]}]}",
  ...HOSTILE_FILES,
};

const milliseconds = (us: number): string => show(us, (value) => `${(value / 1000).toFixed(0)} ms`);

leaveServerCores();
const folder = mkdtempSync(join(tmpdir(), "bench-policy-files-"));
try {
  const samples = Object.keys(FILES).map((what) => ({ what, of: new Array<Sample>() }));
  for (let round = 0; round < LENGTH.rounds; round++) for (const { what, of } of samples) of.push(await check(what));
  const rows = samples
    .map(({ what, of }) => ({ what, us: median(of.map(({ us }) => us)), cpuUs: median(of.map(({ cpuUs }) => cpuUs)) }))
    .toSorted((a, b) => b.us - a.us);
  publish({
    name: "policy-files",
    table: {
      columns: ["policy file", "until its answer, median", "CPU"],
      labels: 1,
      rows: [...rows.slice(0, SHOWN), ...rows.filter(({ what }) => what === ORDINARY)].map(({ what, us, cpuUs }) => [
        what,
        milliseconds(us),
        milliseconds(cpuUs),
      ]),
    },
    notes: { files: `${rows.length}, each ${LENGTH.rounds} times; those that take longest are shown` },
    figures: Object.fromEntries(rows.map(({ what, us }) => [`${what}; us`, us])),
  });
} finally {
  rmSync(folder, { recursive: true });
}

interface Sample {
  readonly us: number;
  readonly cpuUs: number;
}

async function check(what: string): Promise<Sample> {
  writeFileSync(join(folder, "policy.yaml"), FILES[what] ?? "");
  const startedMs = performance.now();
  const child = Bun.spawn(onServerCores([BINARY, "profiles", "check", "policy.yaml"]), {
    cwd: folder,
    env: {},
    stdout: "ignore",
    stderr: "inherit",
  });
  const code = await child.exited;
  if (code !== 0 && code !== 1) throw new Error(`${what}: status ${code}`);
  const us = (performance.now() - startedMs) * 1000;
  return { us, cpuUs: Number(child.resourceUsage()?.cpuTime.total ?? Number.NaN) };
}
