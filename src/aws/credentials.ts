import type { Cancel, Clock } from "../lib/clock.ts";
import type { UpstreamFault } from "../lib/upstream-fault.ts";
import { checkCredentials, type AwsCredentials } from "./aws-credentials.ts";
import { toCredentialsFault } from "./credentials-fault.ts";

/**
 * - `working`: the last refresh succeeded.
 * - `stale`: refreshing fails, and what is held goes on being used until it expires.
 * - `missing`: refreshing fails, and nothing valid is held: AWS cannot be called.
 */
export type CredentialState =
  | { readonly kind: "working" }
  | { readonly kind: "stale"; readonly validUntilEpochMs: number; readonly fault: UpstreamFault }
  | { readonly kind: "missing"; readonly fault: UpstreamFault };

export interface CredentialOptions {
  /** Asks where credentials come from. May fail, hang and be slow: each call is given 4 seconds. */
  readonly load: () => Promise<AwsCredentials>;
  readonly clock: Clock;
  /** At least 0 and below 1. */
  readonly random: () => number;
  /** Told of every change of state, once. The state at the start is `working`. */
  readonly observe: (state: CredentialState) => void;
}

/** Credentials for all AWS clients of a process. */
export interface AwsCredentialSource extends Disposable {
  /**
   * Credentials that are valid now. Bound to nothing: fit to be handed on as a provider.
   *
   * Waits only while none that are valid are held; callers then share one refresh. Throws `UpstreamFault` (`aws-credentials`,
   * `upstream-unavailable`) when that fails.
   */
  readonly current: () => Promise<AwsCredentials>;
}

const LOAD_TIMEOUT_MS = 4000;
const LOADS_PER_REFRESH = 3;
/** Between the loads of one refresh, then doubling. Callers may be waiting. */
const FIRST_PAUSE_MS = 200;
/** Between refreshes that failed, doubling up to the longest. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** Nobody asks a failing endpoint more often than this, however many callers there are. */
const FAILURE_STANDS_MS = 1000;
/** AWS has new ones ready at least 5 minutes ahead; short-lived ones are renewed at half of what is left. */
const REFRESH_AHEAD_MS = 15 * 60 * 1000;
const SHORTEST_WAIT_MS = 1000;

/**
 * Credentials that outlive the failure of where they come from: refreshed in the background well before they expire, and used to their
 * very expiry while that fails. (The SDK's own cache has each client ask again in the last five minutes, and lets a call wait for it.)
 */
export function createCredentialSource(options: CredentialOptions): AwsCredentialSource {
  const keeper = new CredentialKeeper(options);
  return { current: () => keeper.current(), [Symbol.dispose]: () => keeper.stop() };
}

class CredentialKeeper {
  readonly #options: CredentialOptions;
  #held: AwsCredentials | undefined;
  #refreshing: Promise<AwsCredentials> | undefined;
  #failure: { readonly fault: UpstreamFault; readonly atMs: number } | undefined;
  #failures = 0;
  #reported: CredentialState["kind"] = "working";
  #cancel: Cancel = () => undefined;
  #stopped = false;

  constructor(options: CredentialOptions) {
    this.#options = options;
  }

  async current(): Promise<AwsCredentials> {
    const valid = this.#valid();
    if (valid !== undefined) return valid;
    const { clock } = this.#options;
    if (this.#failure !== undefined && clock.monotonicMs() - this.#failure.atMs < FAILURE_STANDS_MS) {
      throw this.#failure.fault;
    }
    return this.#refresh();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #valid(): AwsCredentials | undefined {
    const { expiration } = this.#held ?? {};
    return expiration === undefined || expiration.getTime() > this.#options.clock.nowMs() ? this.#held : undefined;
  }

  #refresh(): Promise<AwsCredentials> {
    this.#refreshing ??= this.#loadRepeatedly()
      .then(
        (loaded) => this.#succeed(loaded),
        (error: unknown) => this.#fail(toCredentialsFault(error)),
      )
      .finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #loadRepeatedly(): Promise<AwsCredentials> {
    for (let load = 1; ; load++) {
      try {
        return await this.#load();
      } catch (error) {
        if (load === LOADS_PER_REFRESH) throw error;
        await this.#pause(this.#jittered(FIRST_PAUSE_MS * 2 ** (load - 1)));
        if (this.#stopped) throw error;
      }
    }
  }

  async #load(): Promise<AwsCredentials> {
    const { load, clock } = this.#options;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = clock.after(LOAD_TIMEOUT_MS, () => reject(new Error("no complete reply in time")));
    try {
      return checkCredentials(await Promise.race([load(), late]), clock.nowMs());
    } finally {
      cancel();
    }
  }

  #succeed(loaded: AwsCredentials): AwsCredentials {
    const { clock, random } = this.#options;
    this.#held = loaded;
    this.#failure = undefined;
    this.#failures = 0;
    this.#report({ kind: "working" });
    if (loaded.expiration !== undefined) {
      const leftMs = loaded.expiration.getTime() - clock.nowMs();
      // Jitter, and always earlier: the tasks of a service start together.
      const waitMs = (leftMs - Math.min(REFRESH_AHEAD_MS, leftMs / 2)) * (0.9 + 0.1 * random());
      this.#scheduleRefresh(Math.max(SHORTEST_WAIT_MS, waitMs));
    }
    return loaded;
  }

  #fail(fault: UpstreamFault): never {
    const validUntil = this.#valid()?.expiration;
    this.#failure = { fault, atMs: this.#options.clock.monotonicMs() };
    this.#report(
      validUntil === undefined
        ? { kind: "missing", fault }
        : { kind: "stale", validUntilEpochMs: validUntil.getTime(), fault },
    );
    this.#scheduleRefresh(
      this.#jittered(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 10))),
    );
    this.#failures += 1;
    throw fault;
  }

  #scheduleRefresh(waitMs: number): void {
    this.#cancel();
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(waitMs, () => {
      // Its failure has been reported, and there is nobody else to tell.
      this.#refresh().catch(() => undefined);
    });
  }

  #report(state: CredentialState): void {
    if (state.kind === this.#reported) return;
    this.#reported = state.kind;
    this.#options.observe(state);
  }

  #pause(waitMs: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(waitMs, resolve));
  }

  #jittered(fullMs: number): number {
    return fullMs * (0.5 + 0.5 * this.#options.random());
  }
}
