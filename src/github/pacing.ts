/** However little is left, so many at once are let through: a few pipelines are nobody's flood. */
const SMALLEST_BURST = 20;
/** Of what is left, what may go at once. */
const BURST_SHARE = 0.25;

/** Of a quota: calls that are left, and the time until it is whole again. */
export interface Left {
  readonly remaining: number;
  readonly untilResetMs: number;
}

/** Spreads calls over the time that a quota has to last: a quarter of what is left at once, the others evenly until the reset. */
export interface Pacing {
  /**
   * Takes a turn. Gives the wait for it in milliseconds; undefined when it is longer than `patienceMs`, and then no turn is taken. Of the
   * burst, `kept` (0 to 1) is left to others.
   */
  readonly take: (left: Left, nowMs: number, patienceMs: number, kept: number) => number | undefined;
  /** How long until a turn would be had. */
  readonly waitMs: (left: Left, nowMs: number, kept: number) => number;
  /** A turn that was taken is not used. */
  readonly giveBack: () => void;
  /** A new quota begins, with a burst of its own. */
  readonly restart: () => void;
}

export function createPacing(): Pacing {
  /** Turns at hand; negative: turns that were given ahead. */
  let turns: number | undefined;
  let countedAtMs = 0;

  const count = (
    { remaining, untilResetMs }: Left,
    nowMs: number,
  ): { burst: number; perMs: number; atHand: number } => {
    const burst = Math.max(SMALLEST_BURST, remaining * BURST_SHARE);
    const perMs = remaining / Math.max(1, untilResetMs);
    const atHand = Math.min(burst, (turns ?? burst) + (nowMs - countedAtMs) * perMs);
    turns = atHand;
    countedAtMs = nowMs;
    return { burst, perMs, atHand };
  };
  const waitMs: Pacing["waitMs"] = (left, nowMs, kept) => {
    const { burst, perMs, atHand } = count(left, nowMs);
    const missing = 1 + kept * burst - atHand;
    return missing <= 0 ? 0 : perMs === 0 ? Infinity : missing / perMs;
  };

  return {
    waitMs,
    giveBack: () => {
      if (turns !== undefined) turns += 1;
    },
    restart: () => (turns = undefined),
    take: (left, nowMs, patienceMs, kept) => {
      const wait = waitMs(left, nowMs, kept);
      if (wait > patienceMs) return undefined;
      turns = (turns ?? 0) - 1;
      return wait;
    },
  };
}
