import type { Clock } from "../lib/clock.ts";
import { UpstreamFault, type Upstream } from "../lib/upstream-fault.ts";
import { toUpstreamFault } from "./aws-fault.ts";

/** Covers credentials, connecting and every attempt. */
const DEADLINE_MS = 10_000;

export interface AwsCall {
  readonly upstream: Upstream;
  /** What it is for, as messages tell it. No ARN. */
  readonly operation: string;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs one SDK call, which is handed a signal that ends it. Always settles: after 10 seconds with `upstream-unavailable`, and
 * with the reason of `call.signal` when that is aborted. Whatever the SDK throws becomes an `UpstreamFault`.
 */
export async function callAws<T>(call: AwsCall, run: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  call.signal?.throwIfAborted();
  const { promise: ended, reject: end } = Promise.withResolvers<never>();
  const abort = new AbortController();
  const give = (reason: unknown): void => {
    end(reason);
    abort.abort();
  };
  const cancel = call.clock.after(DEADLINE_MS, () => give(late(call)));
  const onAbort = (): void => give(call.signal?.reason);
  call.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    // The SDK does not look at the signal while it waits for credentials, so it is raced as well.
    const answered = run(abort.signal).catch((error: unknown) => {
      throw toUpstreamFault(error, call.upstream, call.operation);
    });
    return await Promise.race([answered, ended]);
  } finally {
    cancel();
    call.signal?.removeEventListener("abort", onAbort);
  }
}

function late({ upstream, operation }: AwsCall): UpstreamFault {
  return new UpstreamFault("upstream-unavailable", `${operation}: no complete reply in time`, { upstream });
}
