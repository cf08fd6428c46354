import type { Clock } from "../lib/clock.ts";
import { refusal, type GitHubReply } from "./github-reply.ts";
import type { RateLimit } from "./github-rate-limit.ts";
import type { InstallationTokens } from "./installation-tokens.ts";
import type { JsonObject } from "./json.ts";
import type { GitHubWorld } from "./world.ts";

/** What GitHub knows while it answers. */
export interface GitHubState {
  readonly world: GitHubWorld;
  readonly clock: Clock;
  readonly url: () => string;
  readonly tokens: InstallationTokens;
  readonly rateLimit: RateLimit;
  readonly tamperGrant: () => ((grant: JsonObject) => unknown) | undefined;
}

/** An answer, and whose rate limit it counted against. */
export interface Outcome {
  readonly who: string;
  readonly reply: GitHubReply;
}

export function anonymous(reply: GitHubReply): Outcome {
  return { who: "anonymous", reply };
}

/** Answers only while `who` has requests left this hour. */
export function metered({ rateLimit, clock }: GitHubState, who: string, answer: () => GitHubReply): Outcome {
  if (!rateLimit.spend(who, clock.nowMs())) {
    return { who, reply: refusal(403, `API rate limit exceeded for ${who.replace(":", " ID ")}.`) };
  }
  const reply = answer();
  if (reply.status === 304) rateLimit.refund(who);
  return { who, reply };
}
