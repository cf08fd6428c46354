import type { Clock } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import type { InstallationAccount } from "./installations.ts";

const ASK_AGAIN_AFTER_MS = 60 * 60 * 1000;
/** After a failed refresh, so that an outage of GitHub is not made worse by asking at each request. */
const RETRY_AFTER_MS = 60 * 1000;

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
      asking ??= ask().finally(() => (asking = undefined));
      if (known !== undefined) {
        asking.catch(() => undefined);
        return known;
      }
      return asking.catch((error: unknown) => {
        throw new UpstreamFault(
          "upstream-unavailable",
          "the App's account is not known yet",
          { upstream: "github", ...(error instanceof UpstreamFault ? retryHint(error) : {}) },
          { cause: error },
        );
      });
    },
  };
}

function retryHint({ details }: UpstreamFault): { readonly retryAfterSeconds?: number } {
  return details.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: details.retryAfterSeconds };
}
