import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { join } from "node:path";

/** What a worker writes. */
export interface WorkerLine {
  readonly done: number;
  readonly failure?: Failure;
  /** At its end: what its runs met, by name. */
  readonly counts?: Readonly<Record<string, number>>;
}

export interface Failure {
  readonly seed: number;
  readonly wrong: string;
}

export interface SeedRange {
  readonly from: number;
  readonly to: number;
  /** Processes. */
  readonly workers: number;
  readonly onProgress?: (done: number) => void;
}

export interface SeedResults {
  readonly done: number;
  readonly failure: Failure | undefined;
  readonly counts: ReadonlyMap<string, number>;
}

const WORKER = join(import.meta.dir, "../worker.ts");

/** Runs all seeds of a range, spread over processes. The first failure ends all of them. */
export async function runSeeds({ from, to, workers, onProgress }: SeedRange): Promise<SeedResults> {
  const counts = new Map<string, number>();
  const done: number[] = [];
  let failure: Failure | undefined;
  const total = (): number => done.reduce((sum, one) => sum + one, 0);
  const children = Array.from({ length: workers }, (_none, index) =>
    Bun.spawn([process.execPath, WORKER, String(from + index), String(to), String(workers)], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    }),
  );
  const follow = async (child: (typeof children)[number], index: number): Promise<void> => {
    for await (const text of createInterface({ input: Readable.fromWeb(child.stdout) })) {
      const line: WorkerLine = JSON.parse(text);
      done[index] = line.done;
      for (const [name, count] of Object.entries(line.counts ?? {})) counts.set(name, (counts.get(name) ?? 0) + count);
      failure ??= line.failure;
      onProgress?.(total());
    }
    const code = await child.exited;
    if (failure !== undefined) for (const other of children) other.kill();
    else if (code !== 0) throw new Error(`a worker ended with status ${code}`);
  };
  try {
    await Promise.all(children.map(follow));
  } finally {
    for (const child of children) child.kill();
  }
  return { done: total(), failure, counts };
}
