import type { Clock } from "../lib/clock.ts";
import { LinkedList, type Linked } from "../lib/linked-list.ts";

/**
 * So long the event loop works on requests before it looks at its sockets again. A pipe takes 64 KiB of audit lines between two looks, and a
 * health check is answered after at most two of these.
 */
export const SLICE_MS = 2;
/**
 * While requests wait they get as long as everything else took since their last slice, up to this: refusing thousands at once must not leave
 * next to nothing for those that are to be served.
 */
export const LONGEST_SLICE_MS = 50;
/**
 * A request that has waited so long for the processor is refused: sooner than a client gives up, later than a burst of
 * a thousand jobs takes on a quarter of a core. Only when
 * so many slices were worked on for others meanwhile: a process that was not run for a while has no more to do than before.
 */
export const LONGEST_WAIT_MS = 1000;
export const LEAST_SLICES_WAITED = 10;

/** What a request is to do once it is its turn. */
export interface Work {
  /** At most once, and not after `refuse`. */
  readonly begin: () => void;
  /** It has waited too long. */
  readonly refuse: () => void;
}

/** Hands out the processor in the order of arrival. */
export interface WorkQueue {
  /** Begins at once, unless others wait or this turn of the event loop has worked long enough. */
  readonly add: (work: Work, arrivedMs: number) => void;
  readonly length: () => number;
}

interface Waiting extends Linked<Waiting> {
  readonly work: Work;
  readonly arrivedMs: number;
  readonly arrivedInSlice: number;
}

/**
 * Without it, all requests that have come are worked on before their replies leave: at more than the service can serve, each turn of the
 * event loop takes longer than the last one, until nearly everything is refused after all of its work was done.
 *
 * Costs nothing while there is no queue: the loop's own idea of turns is not known, so once a slice is over the next request waits for the
 * end of its turn, which is when the next slice begins.
 */
export function createWorkQueue(clock: Clock): WorkQueue {
  /** Whatever has had its turn is garbage at once, also when the queue is not empty for hours. */
  const waiting = new LinkedList<Waiting>();
  let slice = 0;
  let sliceEndMs = Number.NEGATIVE_INFINITY;
  /** When the last slice ended, with others still waiting. */
  let leftMs: number | undefined;
  let isDraining = false;

  const hasWaitedTooLong = ({ arrivedMs, arrivedInSlice }: Waiting, nowMs: number): boolean =>
    nowMs - arrivedMs > LONGEST_WAIT_MS && slice - arrivedInSlice > LEAST_SLICES_WAITED;

  const drain = (): void => {
    let nowMs = clock.monotonicMs();
    const elsewhereMs = leftMs === undefined ? 0 : nowMs - leftMs;
    sliceEndMs = nowMs + Math.min(LONGEST_SLICE_MS, Math.max(SLICE_MS, elsewhereMs));
    slice += 1;
    for (let turn = waiting.oldest; turn !== undefined && nowMs < sliceEndMs; turn = waiting.oldest) {
      waiting.remove(turn);
      if (hasWaitedTooLong(turn, nowMs)) turn.work.refuse();
      else turn.work.begin();
      nowMs = clock.monotonicMs();
    }
    isDraining = waiting.size > 0;
    leftMs = isDraining ? nowMs : undefined;
    if (isDraining) setImmediate(drain);
  };

  return {
    length: () => waiting.size,
    add: (work, arrivedMs) => {
      if (!isDraining && arrivedMs < sliceEndMs) return work.begin();
      waiting.append({ work, arrivedMs, arrivedInSlice: slice, older: undefined, newer: undefined });
      if (isDraining) return;
      isDraining = true;
      setImmediate(drain);
    },
  };
}
