import type { Clock } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import type { InstallationAccount } from "./installations.ts";

const ASK_AGAIN_AFTER_MS = 60 * 60 * 1000;
/** After a failed refresh, so that an outage of GitHub is not made worse by asking at each request. */
const RETRY_AFTER_MS = 60 * 1000;
/** The same while it is not known: nobody is charged for this call, so whoever asks without end must not be able to cause it without end. */
const UNKNOWN_COOL_DOWN_MS = 1000;

/** Whose repositories an App may hand out: learnt when first needed, asked again hourly, kept while GitHub cannot be asked. */
export interface AccountSource {
  /**
   * The account as last learnt; a promise only while it is not known. Rejects with `upstream-unavailable` while it is not known, whatever the reason: without it, no
   * owner can be compared and nothing that names a repository may be vended.
   */
  readonly current: () => MaybePromise<InstallationAccount>;
}

export function createAccountSource(read: () => Promise<InstallationAccount | undefined>, clock: Clock): AccountSource {
  let known: InstallationAccount | undefined;
  let askAgainAtMs = 0;
  let asking: Promise<InstallationAccount> | undefined;
  let failure: { readonly error: unknown; readonly untilMs: number } | undefined;

  const ask = async (): Promise<InstallationAccount> => {
    askAgainAtMs = clock.monotonicMs() + RETRY_AFTER_MS;
    const account = await read();
    if (account === undefined) {
      throw new UpstreamFault("upstream-malformed", "read installation: it has no account", { upstream: "github" });
    }
    known = account;
    askAgainAtMs = clock.monotonicMs() + ASK_AGAIN_AFTER_MS;
    return account;
  };

  return {
    current: () => {
      if (known !== undefined && clock.monotonicMs() < askAgainAtMs) return known;
      if (known === undefined && failure !== undefined && clock.monotonicMs() < failure.untilMs)
        return Promise.reject(unknownBecauseOf(failure.error));
      asking ??= ask().finally(() => (asking = undefined));
      if (known !== undefined) {
        asking.catch(() => undefined);
        return known;
      }
      return asking.catch((error: unknown) => {
        failure = { error, untilMs: clock.monotonicMs() + UNKNOWN_COOL_DOWN_MS };
        throw unknownBecauseOf(error);
      });
    },
  };
}

function unknownBecauseOf(cause: unknown): UpstreamFault {
  const details = { upstream: "github", ...(cause instanceof UpstreamFault ? retryHint(cause) : {}) } as const;
  return new UpstreamFault("upstream-unavailable", "the App's account is not known yet", details, { cause });
}

function retryHint({ details }: UpstreamFault): { readonly retryAfterSeconds?: number } {
  return details.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: details.retryAfterSeconds };
}
