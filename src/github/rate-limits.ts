import type { BoundedResponse } from "../lib/bounded-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { createPacing, type Left } from "./pacing.ts";
import { createQuotaWindow } from "./quota-window.ts";
import { readLimitation, readQuota, type Limitation } from "./rate-headers.ts";

/** How much a call is worth: what is renewed ahead of time stops first, what somebody in use waits for stops last. */
export type Urgency = "renewal" | "cold" | "hot";

/** Told of what one App's limits come to. Nothing here may throw. */
export interface RateLimitObserver {
  /** GitHub said to stay away. Told once until it is over. */
  readonly limited: (limitation: Limitation) => void;
  /** Calls are made again. */
  readonly resumed: () => void;
  /** Whether what is left is kept for those who wait: nothing is renewed ahead of time. */
  readonly saving: (isSaving: boolean) => void;
}

/** Shares of the whole limit that are kept from those who are worth less. */
const RESERVED: Readonly<Record<Urgency, number>> = { renewal: 0.25, cold: 0.05, hot: 0 };
/** Of a burst, what renewals and floods of new names leave to those who are known. */
const KEPT_OF_BURST: Readonly<Record<Urgency, number>> = { renewal: 0.5, cold: 0.5, hot: 0 };
/** A request has 20 seconds, and two calls of up to ten before it. */
const PATIENCE_MS = 3_000;
/** Two a second. GitHub's secondary limit is 900 points a minute, and a token costs five: the rest is for those who wait. */
const RENEWAL_RATE: Left = { remaining: 2, untilResetMs: 1000 };

/**
 * GitHub's limits as one App with one installation meets them. Each has its own, so that what one App has used up holds back no other.
 *
 * Trusts what GitHub says of itself, and counts calls that are under way. Knows of other instances only by what GitHub says is left.
 */
export class RateLimits {
  readonly #clock: Clock;
  readonly #observer: RateLimitObserver;
  readonly #window: ReturnType<typeof createQuotaWindow>;
  readonly #pacing = createPacing();
  readonly #renewalPacing = createPacing();
  #closedUntilMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #isSaving = false;

  constructor(clock: Clock, observer: RateLimitObserver) {
    this.#clock = clock;
    this.#observer = observer;
    this.#window = createQuotaWindow(clock);
  }

  /** To be told of every reply to this App. */
  note(response: BoundedResponse): void {
    const quota = readQuota(response, this.#clock.nowMs());
    if (quota?.resource === "core" && this.#window.note(quota)) this.#pacing.restart();
    this.#noteSaving();
    this.noteLimitation(response);
  }

  /** To be told of replies to what is asked with a token of the App: what is left of the hour's calls is another count there. */
  noteLimitation(response: BoundedResponse): void {
    const limitation = readLimitation(response);
    if (limitation === undefined) return;
    this.#closedUntilMs = Math.max(this.#closedUntilMs, this.#clock.monotonicMs() + limitation.seconds * 1000);
    if (!this.#isClosed) this.#observer.limited(limitation);
    this.#isClosed = true;
  }

  /**
   * Resolves when the call may be made, whose end is to be told. Rejects with `upstream-unavailable` and the time to wait when that is too long.
   */
  async admit(urgency: Urgency): Promise<void> {
    this.assertOpen();
    const waitMs = this.#take(urgency);
    if (waitMs > 0) await new Promise<void>((resolve) => void this.#clock.after(waitMs, resolve));
  }

  /** An admitted call is over. One that GitHub did not deal with leaves its turn to others: an outage uses nothing up. */
  ended(isDealtWith: boolean): void {
    this.#window.end();
    if (!isDealtWith) this.#pacing.giveBack();
  }

  /** Throws as `admit` does while GitHub says to stay away; for calls that nothing is saved by putting off. */
  assertOpen(): void {
    const seconds = this.#closedForSeconds();
    if (seconds > 0) throw limited("GitHub said to stay away", seconds);
  }

  /** Whether a renewal would be admitted now. */
  mayRenew(): boolean {
    if (this.#closedForSeconds() > 0 || this.#noteSaving()) return false;
    const nowMs = this.#clock.monotonicMs();
    const left = this.#window.left();
    if (left !== undefined && this.#pacing.waitMs(left, nowMs, KEPT_OF_BURST.renewal) > 0) return false;
    return this.#renewalPacing.waitMs(RENEWAL_RATE, nowMs, 0) === 0;
  }

  /** The wait for a turn. */
  #take(urgency: Urgency): number {
    const nowMs = this.#clock.monotonicMs();
    if (urgency === "renewal") this.#renewalPacing.take(RENEWAL_RATE, nowMs, Infinity, 0);
    const waitMs = this.#waitFor(urgency, nowMs);
    this.#window.begin();
    return waitMs;
  }

  #waitFor(urgency: Urgency, nowMs: number): number {
    const left = this.#window.left();
    if (left === undefined) return 0;
    if (this.#isUsedUp(urgency)) throw limited("the hour's calls are used up", Math.ceil(left.untilResetMs / 1000));
    const kept = KEPT_OF_BURST[urgency];
    const waitMs = this.#pacing.take(left, nowMs, PATIENCE_MS, kept);
    if (waitMs === undefined) {
      throw limited("too many tokens at once", Math.ceil(this.#pacing.waitMs(left, nowMs, kept) / 1000));
    }
    return waitMs;
  }

  #isUsedUp(urgency: Urgency): boolean {
    const left = this.#window.left();
    return left !== undefined && left.remaining <= left.limit * RESERVED[urgency];
  }

  #noteSaving(): boolean {
    const isSaving = this.#isUsedUp("renewal");
    if (isSaving !== this.#isSaving) this.#observer.saving(isSaving);
    this.#isSaving = isSaving;
    return isSaving;
  }

  #closedForSeconds(): number {
    const leftMs = this.#closedUntilMs - this.#clock.monotonicMs();
    if (leftMs > 0) return Math.ceil(leftMs / 1000);
    if (this.#isClosed) this.#observer.resumed();
    this.#isClosed = false;
    return 0;
  }
}

function limited(why: string, seconds: number): UpstreamFault {
  return new UpstreamFault("upstream-unavailable", `rate limit: ${why}`, {
    upstream: "github",
    retryAfterSeconds: Math.max(1, seconds),
  });
}
