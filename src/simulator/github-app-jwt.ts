import { compactVerify } from "jose";
import type { RsaKey } from "./rsa-key.ts";
import { peekClaims } from "./compact-jwt.ts";
import { NOT_DECODED, refusal, type GitHubReply } from "./github-reply.ts";
import type { JsonObject } from "./json.ts";
import type { App, GitHubWorld } from "./world.ts";

export type AppAuthentication =
  { readonly kind: "app"; readonly app: App } | { readonly kind: "refused"; readonly reply: GitHubReply };

/** `exp` may be so far ahead of GitHub's clock, and not a second more. */
const LONGEST_LIFE_SECONDS = 600;

/**
 * Judges an App's JWT as GitHub does: RS256 by one of the App's keys, `iss` its id or client id, `iat` a whole number not in the
 * future, `exp` after now and at most ten minutes ahead. No skew is forgiven.
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
 */
export async function authenticateApp(
  world: GitHubWorld,
  authorization: string | null,
  nowMs: number,
): Promise<AppAuthentication> {
  const jwt = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
  const claims = peekClaims(jwt);
  if (claims === undefined) return refused(NOT_DECODED);
  const app = world.apps.find(({ id, clientId }) => claims["iss"] === clientId || `${id}` === String(claims["iss"]));
  if (app === undefined) return refused(refusal(404, "Integration not found"));
  if (!(await isSignedByOneOf(app.keys, jwt))) return refused(NOT_DECODED);
  const wrong = findWrongTime(claims, Math.floor(nowMs / 1000));
  return wrong === undefined ? { kind: "app", app } : refused(refusal(401, wrong));
}

async function isSignedByOneOf(keys: readonly RsaKey[], jwt: string): Promise<boolean> {
  const verdicts = await Promise.allSettled(
    keys.map(async ({ publicKey }) => compactVerify(jwt, publicKey, { algorithms: ["RS256"] })),
  );
  return verdicts.some(({ status }) => status === "fulfilled");
}

function findWrongTime({ iat, exp }: JsonObject, now: number): string | undefined {
  if (!Number.isSafeInteger(iat) || Number(iat) > now) {
    return "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";
  }
  if (typeof exp !== "number" || exp <= now) {
    return "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
  }
  return exp > now + LONGEST_LIFE_SECONDS ? "'Expiration time' claim ('exp') is too far in the future" : undefined;
}

function refused(reply: GitHubReply): AppAuthentication {
  return { kind: "refused", reply };
}
