import { AuditPart } from "../audit/audit-part.ts";
import type { AuditCaller, AuditToken } from "../audit/entry.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { resolvedFields, vendedFields, type ResolvedFacts, type VendedFacts } from "../vending/audit-token.ts";

/** What audit entries show of callers, profiles and tokens: made once for each, and held as long as the verifier or the cache holds them. */
export interface AuditParts {
  readonly callerOf: (identity: BuildkiteIdentity) => AuditCaller;
  readonly resolvedOf: (facts: ResolvedFacts) => AuditPart<AuditToken>;
  readonly vendedOf: (facts: VendedFacts) => AuditPart<AuditToken>;
}

interface Described<Facts> {
  readonly facts: Facts;
  readonly part: AuditPart<AuditToken>;
}

export function createAuditParts(): AuditParts {
  const callers = new WeakMap<BuildkiteIdentity, AuditCaller>();
  /** What a caller last asked for: most ask for one thing. */
  const profiles = new WeakMap<BuildkiteIdentity, Described<ResolvedFacts>>();
  const tokens = new WeakMap<VendedToken, Described<VendedFacts>>();
  return {
    callerOf: (identity) => callers.get(identity) ?? keep(callers, identity, describeCaller(identity)),
    resolvedOf: (facts) => {
      const known = profiles.get(facts.identity);
      if (known !== undefined && isSameProfile(known.facts, facts)) return known.part;
      return keep(profiles, facts.identity, { facts, part: new AuditPart(resolvedFields(facts)) }).part;
    },
    vendedOf: (facts) => {
      const known = tokens.get(facts.token);
      if (known !== undefined && isSameReach(known.facts, facts)) return known.part;
      return keep(tokens, facts.token, { facts, part: new AuditPart(vendedFields(facts)) }).part;
    },
  };
}

function keep<Key extends WeakKey, Value>(map: WeakMap<Key, Value>, key: Key, value: Value): Value {
  map.set(key, value);
  return value;
}

function describeCaller(identity: BuildkiteIdentity): AuditCaller {
  const { organizationSlug, pipelineSlug, jobId, buildNumber, buildBranch } = identity;
  const { subject, issuer, audience, expiresAtEpochSeconds } = identity;
  const expiry = formatEpochSeconds(expiresAtEpochSeconds);
  return {
    pipeline: new AuditPart({ organizationSlug, pipelineSlug, jobID: jobId, buildNumber, buildBranch }),
    authorization: new AuditPart({ authorized: true, subject, issuer, audience, expiry }),
  };
}

function isSameProfile(one: ResolvedFacts, other: ResolvedFacts): boolean {
  return (
    one.profile === other.profile &&
    one.app === other.app &&
    one.callerScope === other.callerScope &&
    one.policyDigest === other.policyDigest
  );
}

/** A token serves callers who spell its repository in different ways, and profiles that have the same permissions. */
function isSameReach(one: VendedFacts, other: VendedFacts): boolean {
  if (one.permissions !== other.permissions) return false;
  if (one.repositories.kind === "all" || other.repositories.kind === "all") {
    return one.repositories.kind === other.repositories.kind;
  }
  const { names } = other.repositories;
  return (
    one.repositories.names.length === names.length && one.repositories.names.every((name, at) => name === names[at])
  );
}
