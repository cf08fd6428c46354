import type { Scheduler } from "fast-check";
import type { SimulatedClock } from "./simulated-clock.ts";

/** A call across the network. */
export interface Call<Result> {
  readonly label: string;
  readonly deadlineMs: number;
  /** At the server, when the call arrives; may throw. `"no answer"`: it never comes back. */
  readonly serve: () => Result | "no answer";
  /** At the caller, when nothing came in time; may throw. What was asked for may happen all the same. */
  readonly tooLate: () => Result;
  /** Calls of one connection arrive and are answered in the order in which they were made. */
  readonly connection?: Connection;
}

export interface Connection {
  readonly arriving: (() => void)[];
  readonly answering: (() => void)[];
}

/** So long after its deadline nothing arrives any more: the connection has been closed. */
const LINGERS_MS = 10_000;

/** Every call and every answer waits until fast-check's scheduler picks it; its deadline runs by the virtual clock. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #clock: SimulatedClock;

  constructor(scheduler: Scheduler, clock: SimulatedClock) {
    this.#scheduler = scheduler;
    this.#clock = clock;
  }

  call<Result>({ label, deadlineMs, serve, tooLate, connection }: Call<Result>): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const startedMs = this.#clock.monotonicMs();
    let isOver = false;
    const settle = (result: () => Result): void => {
      isOver = true;
      try {
        resolve(result());
      } catch (error) {
        reject(error instanceof Error ? error : new TypeError("only errors are thrown"));
      }
    };
    const cancel = this.#clock.after(deadlineMs, () => settle(tooLate));
    const answer = (result: () => Result) => (): void => {
      if (isOver) return;
      cancel();
      settle(result);
    };
    const arrive = (): void => {
      if (this.#clock.monotonicMs() - startedMs > deadlineMs + LINGERS_MS) return;
      const served = attempt(serve);
      if (served !== undefined && !isOver) this.#hop(`${label}: answer`, answer(served), connection?.answering);
    };
    this.#hop(label, arrive, connection?.arriving);
    return promise;
  }

  /** Lets one of what is under way happen. */
  async step(): Promise<boolean> {
    if (this.#scheduler.count() === 0) return false;
    await this.#scheduler.waitNext(1);
    await turn();
    return true;
  }

  #hop(label: string, happen: () => void, queue: (() => void)[] = []): void {
    queue.push(happen);
    void this.#scheduler.schedule(Promise.resolve(), label).then(() => queue.shift()?.());
  }
}

/** Everything that needs no more than promises has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function attempt<Result>(serve: () => Result | "no answer"): (() => Result) | undefined {
  try {
    const result = serve();
    return result === "no answer" ? undefined : () => result;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
