import { existsSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";

const CLOCK_TICKS_PER_SECOND = 100;

/** CPU that a process and what it started have used so far, all of their threads, in seconds; in steps of 10 ms. */
export function cpuSeconds(pid: number): number {
  return sum(processTree(pid), (one) => {
    const fields = readFileSync(`/proc/${one}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
  });
}

/** Memory of a process and what it started, in MiB: now (`VmRSS`), or the most it ever had (`VmHWM`). */
export function memoryMiB(pid: number, field: "VmRSS" | "VmHWM"): number {
  return sum(processTree(pid), (one) => {
    const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${one}/status`, "utf8"))?.[1];
    return Number(kib) / 1024;
  });
}

/** A process and what it started. Throws when it has ended. */
export function processTree(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) throw new Error(`the server under load, process ${pid}, has ended`);
  const children = readFileSync(path, "utf8").split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}

/** NaN of nothing; values that are absent (NaN) do not count. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

const isShared = cpus().length >= 4 && Bun.which("taskset") !== null;
const half = cpus().length >> 1;
/** Cores of the servers under load, and of what drives them: the first two, and the second half. All of them on a small machine. */
export const SERVER_CORES = isShared ? "0,1" : undefined;
const LOAD_CORES = isShared ? `${half}-${cpus().length - 1}` : undefined;

/** A command on the servers' cores, or on one of them. */
export function onServerCores(command: readonly string[], cores = SERVER_CORES): string[] {
  return cores === undefined || !isShared ? [...command] : ["taskset", "-c", cores, ...command];
}

/** Moves this process, and with it what it will start, to the cores of the load. */
export function leaveServerCores(): void {
  if (LOAD_CORES !== undefined) Bun.spawnSync(["taskset", "-apc", LOAD_CORES, String(process.pid)]);
}

/** What the figures were made on, for whoever wants to make them again. */
export function describeMachine(): Readonly<Record<string, string>> {
  const [first] = cpus();
  const cores = SERVER_CORES === undefined ? "" : `; servers on cores ${SERVER_CORES}, load on ${LOAD_CORES}`;
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${first?.model ?? "unknown"}, ${cpus().length} cores${cores}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: release(),
    bun: Bun.version,
    ...toolVersions(),
    commit: `${run("git", "rev-parse", "--short", "HEAD")}${run("git", "status", "--porcelain", "src", "bench/*.ts", "bench/load") === "" ? "" : ", with changes"}`,
    command: [...settings(), "bun", ...process.argv.slice(1).map((part) => part.replace(`${process.cwd()}/`, ""))].join(
      " ",
    ),
  };
}

/** Of what is there: vegeta's is pinned beside its loader. */
function toolVersions(): Record<string, string> {
  const wrk = /\bwrk (\S+)/.exec(run("wrk", "--version"))?.[1];
  const valkey = /\bv=(\S+)/.exec(run("valkey-server", "--version"))?.[1];
  return { ...(wrk === undefined ? {} : { wrk }), ...(valkey === undefined ? {} : { valkey }) };
}

/** What changes a script's work besides its arguments. */
function settings(): string[] {
  return ["PEER", "SETTINGS", "SERVER_CORES"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [`${name}='${value}'`];
  });
}

function run(...command: string[]): string {
  return Bun.which(command[0] ?? "") === null ? "" : Bun.spawnSync(command).stdout.toString().trim();
}
