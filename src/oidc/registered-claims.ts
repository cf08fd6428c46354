import { errors, UnsecuredJWT } from "jose";
import { InvalidToken } from "./invalid-token.ts";
import { parseJsonObject, type JsonObject } from "./json-object.ts";

/** Between our clock and the issuer's. */
export const CLOCK_SKEW_SECONDS = 5;
const LONGEST_LIFETIME_SECONDS = 24 * 60 * 60;

export interface RegisteredClaims {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  readonly expiresAtEpochSeconds: number;
  readonly notBeforeEpochSeconds: number;
  /** Every claim of the token, these among them. */
  readonly payload: JsonObject;
}

export interface Expectations {
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Judges the claims of RFC 7519, section 4.1: jose checks `iss`, `aud`, `exp` and `nbf`, and that they and `sub` are there. What it
 * lets pass is refused here: repeated claims, times that are not finite (`1e400` is Infinity), an `exp` more than 24 hours
 * ahead, an `iat` in the future, an `aud` list with anything but strings, an empty `sub`. 5 seconds of skew, except to the 24 hours.
 *
 * `encodedPayload` is base64url whose signature has been verified before. Throws `InvalidToken`.
 */
export function readRegisteredClaims(encodedPayload: string, expected: Expectations, nowMs: number): RegisteredClaims {
  const payload = parseJsonObject(Buffer.from(encodedPayload, "base64url"));
  if (payload === undefined) throw new InvalidToken("the payload is not one JSON object with distinct members");
  judgeByJose(encodedPayload, expected, nowMs);
  const nowSeconds = Math.floor(nowMs / 1000);
  const expiresAtEpochSeconds = readTime(payload, "exp");
  if (expiresAtEpochSeconds > nowSeconds + LONGEST_LIFETIME_SECONDS) {
    throw new InvalidToken('claim "exp" is more than 24 hours ahead');
  }
  if (Object.hasOwn(payload, "iat") && readTime(payload, "iat") > nowSeconds + CLOCK_SKEW_SECONDS) {
    throw new InvalidToken('claim "iat" is in the future');
  }
  return {
    issuer: expected.issuer,
    subject: readSubject(payload),
    audience: readAudience(payload),
    expiresAtEpochSeconds,
    notBeforeEpochSeconds: readTime(payload, "nbf"),
    payload,
  };
}

/** Whether `exp` and `nbf` hold now, by the rule that jose applied when the token was first verified. */
export function isInForce(
  claims: Pick<RegisteredClaims, "expiresAtEpochSeconds" | "notBeforeEpochSeconds">,
  nowMs: number,
): boolean {
  const nowSeconds = Math.floor(nowMs / 1000);
  return (
    claims.expiresAtEpochSeconds > nowSeconds - CLOCK_SKEW_SECONDS &&
    claims.notBeforeEpochSeconds <= nowSeconds + CLOCK_SKEW_SECONDS
  );
}

/** `{"alg":"none"}`. Never leaves this file. */
const UNSECURED_HEADER = "eyJhbGciOiJub25lIn0";

/**
 * jose's rules for claims without its signature check, which is asynchronous and has been made by then: it offers them alone for
 * unsecured JWTs only, so the payload is shown to it as one.
 */
function judgeByJose(encodedPayload: string, { issuer, audience }: Expectations, nowMs: number): void {
  try {
    UnsecuredJWT.decode(`${UNSECURED_HEADER}.${encodedPayload}.`, {
      issuer,
      audience,
      requiredClaims: ["sub", "exp", "nbf"],
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(nowMs),
    });
  } catch (error) {
    throw new InvalidToken(describeVerdict(error));
  }
}

const REASONS: Readonly<Record<string, string>> = {
  iss: "is not the configured issuer",
  aud: "does not include the configured audience",
  exp: "is in the past: the token has expired",
  nbf: "is in the future: the token is not valid yet, or the clocks differ",
};

function describeVerdict(error: unknown): string {
  if (!(error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired)) {
    return "the payload is not a JWT claims set";
  }
  const claim = `claim "${error.claim}"`;
  if (error.reason === "missing") return `${claim} is missing`;
  return `${claim} ${error.reason === "check_failed" ? (REASONS[error.claim] ?? "does not hold") : "is not a number"}`;
}

function readTime(payload: JsonObject, claim: string): number {
  const seconds = payload[claim];
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) {
    throw new InvalidToken(`claim "${claim}" is not a finite number`);
  }
  return seconds;
}

function readSubject(payload: JsonObject): string {
  const subject = payload["sub"];
  if (typeof subject !== "string" || subject === "") throw new InvalidToken('claim "sub" is empty or not a string');
  return subject;
}

function readAudience(payload: JsonObject): readonly string[] {
  const audience = payload["aud"];
  const list: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  return list.map((entry) => {
    if (typeof entry !== "string") throw new InvalidToken('claim "aud" is neither a string nor a list of strings');
    return entry;
  });
}
