import type { Clock } from "../lib/clock.ts";
import type { GitHubApp } from "./app.ts";

/** GitHub refuses a JWT from the future, and its clock may be behind ours. */
const BACKDATED_SECONDS = 60;
/** GitHub refuses one that expires more than 10 minutes ahead by its own clock. */
const LIFETIME_SECONDS = 9 * 60;
/** A JWT this close to its end is not sent any more: the request itself may take 10 seconds. */
const UNUSABLE_BEFORE_END_MS = 60_000;

/** With this much left one is signed anew behind everybody's back, so that nobody waits for KMS while tokens are made all the time. */
const RENEW_BEFORE_END_MS = 4 * 60_000;
/** Between such signatures that fail. */
const RENEW_AGAIN_MS = 10_000;

/** Proves to GitHub that we are the App. */
export interface AppJwtSource {
  /**
   * A JWT with at least a minute to live. Signed when needed and reused until then; concurrent callers share one signature. In use, it is
   * replaced ahead of time, and serves on while that fails.
   * Throws what the App's signer throws; a failure is not remembered.
   */
  readonly current: () => Promise<string>;
}

export function createAppJwtSource(app: GitHubApp, clock: Clock): AppJwtSource {
  let held: { readonly jwt: string; readonly usableUntilMs: number } | undefined;
  let signing: Promise<string> | undefined;
  let renewFromMs = Number.NEGATIVE_INFINITY;

  const sign = async (): Promise<string> => {
    const issuedAtSeconds = Math.floor(clock.nowMs() / 1000);
    const expiresAtSeconds = issuedAtSeconds + LIFETIME_SECONDS;
    const jwt = await signJwt(app, issuedAtSeconds - BACKDATED_SECONDS, expiresAtSeconds);
    held = { jwt, usableUntilMs: expiresAtSeconds * 1000 - UNUSABLE_BEFORE_END_MS };
    return jwt;
  };
  const renew = (leftMs: number): void => {
    if (leftMs > RENEW_BEFORE_END_MS || signing !== undefined || clock.monotonicMs() < renewFromMs) return;
    renewFromMs = clock.monotonicMs() + RENEW_AGAIN_MS;
    signing = sign().finally(() => (signing = undefined));
    signing.catch(() => undefined);
  };

  return {
    current: async () => {
      if (held !== undefined && isUsable(held.usableUntilMs, clock.nowMs())) {
        const { jwt, usableUntilMs } = held;
        renew(usableUntilMs - clock.nowMs());
        return jwt;
      }
      signing ??= sign().finally(() => (signing = undefined));
      return signing;
    },
  };
}

/** A wall clock that was set back would make an old JWT look young again: more left than a whole life is no life. */
function isUsable(usableUntilMs: number, nowMs: number): boolean {
  const leftMs = usableUntilMs - nowMs;
  return leftMs > 0 && leftMs <= LIFETIME_SECONDS * 1000;
}

async function signJwt(app: GitHubApp, iat: number, exp: number): Promise<string> {
  const header = encode({ alg: "RS256", typ: "JWT" });
  const payload = encode({ iat, exp, iss: String(app.appId) });
  const message = `${header}.${payload}`;
  const signature = await app.signer.sign(new TextEncoder().encode(message));
  return `${message}.${Buffer.from(signature).toString("base64url")}`;
}

function encode(value: Readonly<Record<string, string | number>>): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
