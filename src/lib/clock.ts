/** Undoes a scheduled call. Calling it twice, or after the call has run, does nothing. */
export type Cancel = () => void;

/**
 * Time as the service sees it, handed in everywhere so that tests own it.
 *
 * Two clocks on purpose: a wall clock jumps when it is set, a monotonic one does not know what time it is.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. Only for times that others wrote: `exp`, `expires_at`. */
  readonly nowMs: () => number;
  /** Milliseconds since some fixed start; never goes back. For ages, deadlines and back-off. */
  readonly monotonicMs: () => number;
  /** Calls `run` once after `delayMs`, any length, unless cancelled. Does not keep the process alive. */
  readonly after: (delayMs: number, run: () => void) => Cancel;
}

/** `setTimeout` fires after 1 ms when its delay exceeds 2^31-1, so longer waits are re-armed daily. */
const LONGEST_TIMER_MS = 24 * 60 * 60 * 1000;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, run) => {
    let timer: ReturnType<typeof setTimeout>;
    const arm = (leftMs: number): void => {
      const nextMs = Math.min(leftMs, LONGEST_TIMER_MS);
      timer = setTimeout(() => (leftMs > nextMs ? arm(leftMs - nextMs) : run()), nextMs);
      timer.unref();
    };
    arm(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
