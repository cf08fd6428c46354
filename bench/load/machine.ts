import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";

const CLOCK_TICKS_PER_SECOND = 100;

/** CPU that a process has used so far, all of its threads, in seconds; in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
}

/** Memory of a process in MiB: now (`VmRSS`), or the most it ever had (`VmHWM`). */
export function memoryMiB(pid: number, field: "VmRSS" | "VmHWM"): number {
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kib) / 1024;
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

/** What the figures were made on, for whoever wants to make them again. */
export function describeMachine(): Readonly<Record<string, string>> {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${first?.model ?? "unknown"}, ${cpus().length} cores`,
    kernel: release(),
    bun: Bun.version,
    commit: Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"]).stdout.toString().trim(),
    command: ["bun", ...process.argv.slice(1).map((part) => part.replace(`${process.cwd()}/`, ""))].join(" "),
  };
}
