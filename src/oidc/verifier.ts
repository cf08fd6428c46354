import type { Clock } from "../lib/clock.ts";
import { readBuildkiteIdentity } from "./buildkite-claims.ts";
import type { Authentication, BuildkiteIdentity, Verifier } from "./buildkite-identity.ts";
import { parseCompactJws, type CompactJws } from "./compact-jws.ts";
import { InvalidToken } from "./invalid-token.ts";
import type { KeySource, Keys } from "./key-source.ts";
import type { KeySet } from "./key-set.ts";
import { isInForce, readRegisteredClaims } from "./registered-claims.ts";
import { digestToken, RememberedTokens } from "./remembered-tokens.ts";
import { isSignedBy, type VerificationKey } from "./verification-key.ts";

export interface VerifierOptions<Caller> {
  /** As the claim `iss` has it, to the letter. */
  readonly issuer: string;
  readonly audience: string;
  readonly organizationSlug: string;
  /** Absent: tokens of any organization of that slug. */
  readonly organizationId?: string;
  /** What is to be known of whoever a token speaks for; kept while the token is in use. Must not throw. */
  readonly introduce: (identity: BuildkiteIdentity) => Caller;
  readonly keySource: KeySource;
  readonly clock: Clock;
  /** Told of every verdict, once. */
  readonly observer?: { readonly judged: (verdict: Verdict) => void };
}

/** `remembered`: this very token had been verified before. */
export type Verdict = Authentication<never>["kind"] | "remembered";

/** A job asks several times with one token within five minutes: this is for 8,000 jobs in that time, a quarter of them taking turns. */
export const REMEMBERED_TOKENS = { proofs: 8192, readings: 2048 };

/**
 * Judges Buildkite OIDC tokens: form, signature by a key of the issuer, then claims, in this order, so that no claim of a
 * forged token is ever looked at. Trusts the key source, the clock, and nothing in the token before its signature holds.
 *
 * A token that verified is remembered by its SHA-256 while its key stays in force; its times are checked at every use.
 */
export function createVerifier<Caller>(options: VerifierOptions<Caller>): Verifier<Caller> {
  const { introduce, keySource, clock, observer } = options;
  const remembered = new RememberedTokens<Caller>(REMEMBERED_TOKENS);

  const judge = (jws: CompactJws, answer: Keys, digest: string): Authentication<Caller> => {
    if (answer.kind === "unavailable") return answer;
    const key = findKey(jws, answer.keys);
    if (!isSignedBy(key, jws)) return invalid("the signature does not verify");
    const claims = readRegisteredClaims(jws.encodedPayload, options, clock.nowMs());
    const identity = readBuildkiteIdentity(claims, options);
    // A token without kid is good only while the set has one key, which is not remembered.
    if (jws.kid !== undefined) {
      remembered.adopt(answer.keys);
      remembered.remember(digest, { keyId: key.id, ...claims });
    }
    return { kind: "authenticated", caller: introduce(identity) };
  };

  const judgeAfresh = (jwt: string, digest: string): Authentication<Caller> | Promise<Authentication<Caller>> => {
    const jws = attempt(() => parseCompactJws(jwt));
    if ("kind" in jws) return jws;
    return next(keysFor(jws, keySource), (answer) => attempt(() => judge(jws, answer, digest)));
  };

  /** What is remembered of this very token, while its key is in force and its times hold; otherwise it is judged afresh. */
  const recall = (jwt: string, digest: string): Authentication<Caller> | undefined => {
    const known = remembered.reading(digest);
    const proof = known ?? remembered.find(digest);
    if (proof === undefined) return undefined;
    const answer = keySource.current();
    if (answer instanceof Promise || answer.kind === "unavailable") return undefined;
    remembered.adopt(answer.keys);
    if (!answer.keys.has(proof.keyId) || !isInForce(proof, clock.nowMs())) return undefined;
    if (known !== undefined) return known;
    const authentication = attempt(() => readAgain(jwt));
    remembered.read(digest, jwt, proof, authentication);
    return authentication;
  };

  /** Of a token whose whole text is known to have verified. */
  const readAgain = (jwt: string): Authentication<Caller> => {
    const { encodedPayload } = parseCompactJws(jwt);
    const claims = readRegisteredClaims(encodedPayload, options, clock.nowMs());
    return { kind: "authenticated", caller: introduce(readBuildkiteIdentity(claims, options)) };
  };

  return {
    verify: (jwt) => {
      const digest = digestToken(jwt);
      const recalled = recall(jwt, digest);
      if (recalled !== undefined) {
        observer?.judged("remembered");
        return recalled;
      }
      return next(judgeAfresh(jwt, digest), (authentication) => {
        observer?.judged(authentication.kind);
        return authentication;
      });
    },
  };
}

/** The keys in force, asked for anew when they lack the one that the token names. */
function keysFor(jws: CompactJws, keySource: KeySource): Keys | Promise<Keys> {
  return next(keySource.current(), (answer) => {
    const isKnown = answer.kind === "unavailable" || jws.kid === undefined || answer.keys.find(jws.kid) !== undefined;
    return isKnown ? answer : keySource.afterUnknownKid();
  });
}

function findKey(jws: CompactJws, keys: KeySet): VerificationKey {
  const key = keys.find(jws.kid);
  if (key !== undefined) return key;
  throw new InvalidToken(
    jws.kid === undefined
      ? "the token names no key, and the issuer has not exactly one"
      : "the issuer has no usable key of the name in the header's kid",
  );
}

/** Fails closed: a fault in judging is a token that does not verify, and the audit entry has its kind. */
function attempt<T>(run: () => T): T | Authentication<never> {
  try {
    return run();
  } catch (error) {
    if (error instanceof InvalidToken) return invalid(error.message);
    return invalid(`verification failed unexpectedly: ${error instanceof Error ? error.name : "unknown error"}`);
  }
}

function invalid(cause: string): Authentication<never> {
  return { kind: "invalid", cause };
}

/** As `then`, but at once when the value is there already. */
function next<T, U>(value: T | Promise<T>, step: (value: T) => U | Promise<U>): U | Promise<U> {
  return value instanceof Promise ? value.then(step) : step(value);
}
