import { isAws, type Cell, type Fault, type Upstream } from "./lists.ts";

/** What the contract says of a cell. */
export type Expected =
  /** 200 with a token. */
  | { readonly kind: "served" }
  | { readonly kind: "unavailable"; readonly retryAfterSeconds: number }
  | { readonly kind: "refused"; readonly status: 403 | 500 }
  /** It tries for half a minute, and ends with one line. */
  | { readonly kind: "refuses to start" }
  /** It does not listen until the upstream is back, and then serves. */
  | { readonly kind: "waits" };

/**
 * For how long the service leaves an upstream alone that said to slow down, in seconds: as it said, else a minute, as GitHub asks for.
 * 0: it is asked anew by the next request.
 */
export function leftAloneSeconds({ upstream, fault }: Cell): number {
  if (upstream === "buildkite") return fault === "429 with retry-after" ? (RETRY_SECONDS[fault] ?? 0) : 0;
  // All are asked in the App's name, which has one limit.
  if (upstream !== "github tokens" && upstream !== "github installation" && upstream !== "github contents") return 0;
  switch (fault) {
    case "403 primary limit":
      return RESET_SECONDS;
    case "403 secondary limit":
    case "429 with retry-after":
      return RETRY_SECONDS[fault] ?? 0;
    case "429":
      return 60;
    default:
      return 0;
  }
}

/** An upstream that cannot be asked, one that says no, and one that breaks its own rules. */
type Meaning = "outage" | "refusal" | "malformed";

const REFUSALS: ReadonlySet<Fault> = new Set<Fault>(["400", "401", "403", "404", "422"]);
const MALFORMED: ReadonlySet<Fault> = new Set<Fault>(["redirect", "not json", "wrong type", "over-long"]);

/** Seconds, unless the upstream says otherwise (http-api.md, Failures). */
const DEFAULT_RETRY_SECONDS = 5;

/** What the faults say in `Retry-After`. */
export const RETRY_SECONDS: Partial<Record<Fault, number>> = {
  "403 secondary limit": 11,
  "429 with retry-after": 7,
  "503 with retry-after": 9,
};
/** GitHub's `x-ratelimit-reset` less its `date`, of a primary limit: longer than any client should be told to wait. */
export const RESET_SECONDS = 1800;
const LONGEST_RETRY_SECONDS = 60;

export function expectationOf(cell: Cell): Expected {
  switch (cell.stage) {
    case "hot":
      return { kind: "served" };
    case "renewing":
      return renewingOf(cell);
    case "starting":
      return startingOf(cell);
    case "cold":
      return coldOf(cell);
  }
}

/** An outage goes unnoticed; whatever else comes instead of a new token ends the one that is held. */
function renewingOf(cell: Cell): Expected {
  if (!renewsTokens(cell.upstream) || meaningOf(cell.fault) === "outage") return { kind: "served" };
  return coldOf(cell);
}

/** Whether what is renewed is a cached token. */
export function renewsTokens(upstream: Upstream): boolean {
  return upstream === "buildkite" || upstream === "github tokens" || upstream === "kms sign";
}

function startingOf(cell: Cell): Expected {
  switch (cell.upstream) {
    // The policy is read first, with a token, for which KMS signs with the task's credentials.
    case "github tokens":
    case "github contents":
    case "kms sign":
    case "ecs credentials":
      return { kind: "waits" };
    case "kms keyset":
    case "secrets manager":
      return { kind: "refuses to start" };
    case "oidc":
    case "buildkite":
    case "github installation":
    case "valkey":
      return coldOf(cell);
  }
}

function coldOf({ upstream, fault }: Cell): Expected {
  switch (upstream) {
    case "oidc":
    case "ecs credentials":
      // Without keys, or without credentials, nobody can be judged or asked: whatever the reason.
      return { kind: "unavailable", retryAfterSeconds: DEFAULT_RETRY_SECONDS };
    case "github installation":
      // Without the account no owner can be compared: whatever the reason.
      return { kind: "unavailable", retryAfterSeconds: retrySecondsOf(upstream, fault) };
    case "buildkite":
    case "kms sign":
      return byMeaning(upstream, fault, 500);
    case "github tokens":
      return byMeaning(upstream, fault, 403);
    // The generation and the keyset in force stay, and without Valkey each instance serves by itself.
    case "github contents":
    case "kms keyset":
    case "secrets manager":
    case "valkey":
      return { kind: "served" };
  }
}

function byMeaning(upstream: Upstream, fault: Fault, refusedWith: 403 | 500): Expected {
  switch (meaningOf(fault)) {
    case "outage":
      return { kind: "unavailable", retryAfterSeconds: retrySecondsOf(upstream, fault) };
    case "refusal":
      return { kind: "refused", status: refusedWith };
    case "malformed":
      return { kind: "refused", status: 500 };
  }
}

export function meaningOf(fault: Fault): Meaning {
  if (REFUSALS.has(fault)) return "refusal";
  return MALFORMED.has(fault) ? "malformed" : "outage";
}

function retrySecondsOf(upstream: Upstream, fault: Fault): number {
  // AWS says it in no header; its clients wait by themselves.
  if (isAws(upstream)) return DEFAULT_RETRY_SECONDS;
  if (fault === "403 primary limit") return Math.min(RESET_SECONDS, LONGEST_RETRY_SECONDS);
  return RETRY_SECONDS[fault] ?? DEFAULT_RETRY_SECONDS;
}

/** What the log says when something could not be renewed. Valkey's lines are many, and are tested where they are made. */
export function renewalLineOf({ upstream, fault }: Cell): string | undefined {
  switch (upstream) {
    case "oidc":
      return "issuer's keys could not be fetched";
    case "github contents":
      return "profile refresh failed";
    case "kms keyset":
    case "secrets manager":
      return "keyset could not be read again; the one in force stays";
    case "ecs credentials":
      return "AWS credentials cannot be refreshed; those held serve on";
    // The account that was learnt last is kept without a word.
    case "github installation":
    case "valkey":
      return undefined;
    case "buildkite":
    case "github tokens":
    case "kms sign":
      return meaningOf(fault) === "outage"
        ? "cached tokens cannot be renewed; those held serve on"
        : "a cached token was not renewed and serves no more";
  }
}

/** In the service's own time: how long a client waits for its reply at most. */
export function longestWaitMs({ upstream, fault, stage }: Cell): number {
  // All of Valkey in one request: 250 ms. The rest is what the others take, and a busy machine's.
  if (upstream === "valkey") return 250 + 350;
  const hangs = fault === "hang" || fault === "slow drip";
  if (stage !== "hot" && (hangs || isAws(upstream))) return 11_000;
  return 3000;
}
