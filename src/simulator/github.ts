import type { Clock } from "../lib/clock.ts";
import { peekClaims } from "./compact-jwt.ts";
import { answerApp } from "./github-app-routes.ts";
import { answerInstallation } from "./github-installation-routes.ts";
import { createRateLimit, type RateLimit } from "./github-rate-limit.ts";
import { refusal, type GitHubReply } from "./github-reply.ts";
import { anonymous, type GitHubState, type Outcome } from "./github-state.ts";
import { createInstallationTokens, type IssuedToken } from "./installation-tokens.ts";
import type { Asker } from "./journal.ts";
import type { JsonObject } from "./json.ts";
import type { Asked } from "./upstream-server.ts";
import type { GitHubWorld } from "./world.ts";

/** GitHub's REST API as far as the service needs it. */
export interface GitHub {
  readonly url: string;
  /**
   * Changes what a token request is answered with, to act a GitHub that grants something else than was asked. What the token can
   * do, and that it can be revoked, stays as it was granted.
   */
  tamperGrant: ((grant: JsonObject) => unknown) | undefined;
  /** Its `limit` may be set at any time. */
  readonly rateLimit: RateLimit;
  /** Every token ever given out, in order, revoked ones too: for tests that search output for them. */
  readonly issuedTokens: () => readonly IssuedToken[];
  /** Whether GitHub still accepts this token. */
  readonly isLive: (token: string) => boolean;
}

export interface GitHubParts {
  readonly world: GitHubWorld;
  readonly clock: Clock;
  readonly url: () => string;
}

interface ServedGitHub {
  readonly gitHub: GitHub;
  readonly answer: (asked: Asked) => Promise<Response>;
}

const REQUESTS_AN_HOUR = 5000;
const API_VERSIONS = new Set(["2022-11-28", "2026-03-10"]);

export function createGitHub(parts: GitHubParts): ServedGitHub {
  const tokens = createInstallationTokens();
  const rateLimit = createRateLimit(REQUESTS_AN_HOUR);
  const gitHub: GitHub = {
    get url() {
      return parts.url();
    },
    tamperGrant: undefined,
    rateLimit,
    issuedTokens: tokens.issued,
    isLive: (token) => tokens.findLive(token, parts.clock.nowMs()) !== undefined,
  };
  const state: GitHubState = { ...parts, tokens, rateLimit, tamperGrant: () => gitHub.tamperGrant };
  return {
    gitHub,
    answer: async (asked) => {
      const { who, reply } = await dispatch(state, asked);
      const requestId = `51B0:${asked.sequence.toString(16).toUpperCase().padStart(6, "0")}`;
      return toResponse(reply, {
        ...rateLimit.headers(who, parts.clock.nowMs()),
        date: new Date(parts.clock.nowMs()).toUTCString(),
        "x-github-request-id": requestId,
        "x-github-media-type": "github.v3; format=json",
      });
    },
  };
}

async function dispatch(state: GitHubState, asked: Asked): Promise<Outcome> {
  const { headers, segments } = asked;
  if (!headers.get("user-agent")) {
    return anonymous(refusal(403, "Request forbidden by administrative rules. Please send a User-Agent header"));
  }
  const version = headers.get("x-github-api-version");
  if (version !== null && !API_VERSIONS.has(version)) {
    return anonymous(refusal(400, `${version} is not a supported version.`));
  }
  return segments[0] === "app" ? answerApp(state, asked) : answerInstallation(state, asked);
}

function toResponse({ status, body, headers = {} }: GitHubReply, common: Readonly<Record<string, string>>): Response {
  const json = { "content-type": "application/json; charset=utf-8" };
  if (body === undefined) return new Response(null, { status, headers: { ...common, ...headers } });
  const content = body instanceof Uint8Array ? new Uint8Array(body) : JSON.stringify(body);
  return new Response(content, { status, headers: { ...common, ...json, ...headers } });
}

export function identifyGitHubCaller(headers: Headers): Asker {
  const value = headers.get("authorization");
  if (value === null) return { authorization: "none" };
  const token = /^(?:bearer|token) +(\S+)$/i.exec(value)?.[1] ?? "";
  const appOfToken = /^ghs_(\d+)_/.exec(token)?.[1];
  if (appOfToken !== undefined) return { authorization: "installation-token", appId: Number(appOfToken) };
  const issuer = Number(peekClaims(token)?.["iss"]);
  return Number.isSafeInteger(issuer) ? { authorization: "app-jwt", appId: issuer } : { authorization: "unknown" };
}
