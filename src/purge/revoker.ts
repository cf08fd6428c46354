import { describeCauses } from "../lib/bridge-error.ts";
import type { Cancel, Clock } from "../lib/clock.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { isOutage } from "../lib/upstream-verdict.ts";

/** A token that is to end before its time. */
export interface PurgedToken {
  readonly token: string;
  readonly tokenSha256Base64: string;
  readonly expiresAtEpochSeconds: number;
}

export type RevocationOutcome =
  | { readonly kind: "revoked" }
  /** GitHub does not know it: another instance was quicker, or it has ended. */
  | { readonly kind: "already-invalid" }
  | { readonly kind: "given-up"; readonly cause: string };

export interface RevokerOptions<Token extends PurgedToken> {
  /** Throws `UpstreamFault`. Has a deadline of its own. */
  readonly revoke: (token: string) => Promise<void>;
  readonly clock: Clock;
  readonly observer: {
    readonly decided: (token: Token, outcome: RevocationOutcome) => void;
    /** Nothing is left to revoke for now. */
    readonly settled: (counts: RevocationCounts) => void;
  };
}

export interface RevocationCounts {
  readonly revoked: number;
  readonly alreadyInvalid: number;
  readonly givenUp: number;
}

/** Takes tokens back at GitHub, in the background. Disposing gives up what still waits or is under way. */
export interface Revoker<Token extends PurgedToken> extends Disposable {
  /** Each token once, however often it is handed in. */
  readonly revoke: (token: Token) => void;
}

/** What one process holds, and some. */
const CAPACITY = 20_000;
const AT_ONCE = 4;
/**
 * GitHub's secondary limit lets one App change things some 180 times a minute (900 points, 5 a change), and stops all of its calls beyond
 * that. Two instances stay below it, so that jobs get new tokens meanwhile. Source: docs.github.com, "Rate limits for the REST API".
 */
const BURST = 30;
const EVERY_MS = 1_000;
const TRIES = 3;
const PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
const GIVE_UP_AFTER_MS = 15 * 60 * 1000;

interface Waiting<Token> {
  readonly token: Token;
  readonly tries: number;
  readonly untilMonotonicMs: number;
}

export function createRevoker<Token extends PurgedToken>(options: RevokerOptions<Token>): Revoker<Token> {
  return new PacedRevoker(options);
}

class PacedRevoker<Token extends PurgedToken> implements Revoker<Token> {
  readonly #options: RevokerOptions<Token>;
  readonly #seen = new Set<string>();
  #waiting: Waiting<Token>[] = [];
  readonly #running = new Set<Waiting<Token>>();
  #counts = { revoked: 0, alreadyInvalid: 0, givenUp: 0 };
  #allowance = BURST;
  #allowanceAtMs: number;
  #pausedUntilMs = -Infinity;
  #cancelWake: Cancel = () => undefined;
  #isStarting = false;
  #isDisposed = false;

  constructor(options: RevokerOptions<Token>) {
    this.#options = options;
    this.#allowanceAtMs = options.clock.monotonicMs();
  }

  readonly revoke = (token: Token): void => {
    if (this.#isDisposed || this.#seen.has(token.tokenSha256Base64)) return;
    if (this.#seen.size >= CAPACITY) this.#forgetOldest();
    this.#seen.add(token.tokenSha256Base64);
    const { clock } = this.#options;
    this.#waiting.push({ token, tries: 0, untilMonotonicMs: clock.monotonicMs() + GIVE_UP_AFTER_MS });
    if (this.#isStarting) return;
    this.#isStarting = true;
    // All tokens of one purge first, then the choice among them.
    queueMicrotask(() => {
      this.#isStarting = false;
      this.#proceed();
    });
  };

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#cancelWake();
    const left = [...this.#waiting, ...this.#running];
    this.#waiting = [];
    // Nobody will be there to tell how these end.
    this.#running.clear();
    for (const { token } of left) this.#decide(token, { kind: "given-up", cause: "the service stops" });
    this.#tellWhenSettled();
  }

  #forgetOldest(): void {
    const oldest = this.#seen.keys().next();
    if (oldest.done === false) this.#seen.delete(oldest.value);
  }

  #proceed(): void {
    this.#cancelWake();
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    this.#giveUpOld(nowMs);
    while (this.#waiting.length > 0 && this.#running.size < AT_ONCE) {
      const waitMs = Math.max(this.#pausedUntilMs - nowMs, this.#untilAllowedMs(nowMs));
      if (waitMs > 0) {
        this.#cancelWake = clock.after(waitMs, () => this.#proceed());
        return;
      }
      this.#allowance -= 1;
      void this.#attempt(this.#takeNewest());
    }
    this.#tellWhenSettled();
  }

  #untilAllowedMs(nowMs: number): number {
    const gained = Math.floor((nowMs - this.#allowanceAtMs) / EVERY_MS);
    this.#allowance = Math.min(BURST, this.#allowance + gained);
    this.#allowanceAtMs += gained * EVERY_MS;
    return this.#allowance > 0 ? 0 : this.#allowanceAtMs + EVERY_MS - nowMs;
  }

  /** The newest live longest. */
  #takeNewest(): Waiting<Token> {
    const newest = this.#waiting.reduce((best, one) =>
      one.token.expiresAtEpochSeconds > best.token.expiresAtEpochSeconds ? one : best,
    );
    this.#waiting.splice(this.#waiting.indexOf(newest), 1);
    return newest;
  }

  #giveUpOld(nowMs: number): void {
    const old = this.#waiting.filter(({ untilMonotonicMs }) => untilMonotonicMs <= nowMs);
    this.#waiting = this.#waiting.filter(({ untilMonotonicMs }) => untilMonotonicMs > nowMs);
    for (const { token } of old) this.#decide(token, { kind: "given-up", cause: "its turn did not come in time" });
  }

  async #attempt(waiting: Waiting<Token>): Promise<void> {
    this.#running.add(waiting);
    const { token, tries } = waiting;
    try {
      await this.#options.revoke(token.token);
      if (!this.#isDisposed) this.#decide(token, { kind: "revoked" });
    } catch (error) {
      if (this.#isDisposed) return;
      if (error instanceof UpstreamFault && error.details.status === 401)
        this.#decide(token, { kind: "already-invalid" });
      else if (isOutage(error) && tries + 1 < TRIES) this.#again({ ...waiting, tries: tries + 1 }, error);
      else this.#decide(token, { kind: "given-up", cause: describeCauses(error) });
    } finally {
      this.#running.delete(waiting);
      this.#proceed();
    }
  }

  #again(waiting: Waiting<Token>, { details }: UpstreamFault): void {
    const askedMs = (details.retryAfterSeconds ?? 0) * 1000;
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(PAUSE_MS, askedMs));
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#options.clock.monotonicMs() + pauseMs);
    this.#waiting.push(waiting);
  }

  #decide(token: Token, outcome: RevocationOutcome): void {
    const counter = { revoked: "revoked", "already-invalid": "alreadyInvalid", "given-up": "givenUp" } as const;
    this.#counts[counter[outcome.kind]] += 1;
    this.#options.observer.decided(token, outcome);
  }

  #tellWhenSettled(): void {
    const { revoked, alreadyInvalid, givenUp } = this.#counts;
    if (this.#waiting.length > 0 || this.#running.size > 0 || revoked + alreadyInvalid + givenUp === 0) return;
    this.#counts = { revoked: 0, alreadyInvalid: 0, givenUp: 0 };
    this.#options.observer.settled({ revoked, alreadyInvalid, givenUp });
  }
}
