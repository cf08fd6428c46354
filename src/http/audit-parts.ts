import { AuditPart } from "../audit/audit-part.ts";
import type { AuditCaller, AuditToken } from "../audit/entry.ts";
import { formatEpochSeconds } from "../lib/rfc3339.ts";
import { RecentValues } from "../lib/recent-values.ts";
import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { resolvedFields, vendedFields, type ResolvedFacts, type VendedFacts } from "../vending/audit-token.ts";

/** What audit entries show of callers, profiles and tokens: made once for each that is in use. */
export interface AuditParts {
  /** `isNew`: nothing is kept of this caller yet. */
  readonly callerOf: (identity: BuildkiteIdentity, isNew: boolean) => KnownCaller;
  readonly vendedOf: (facts: VendedFacts) => AuditPart<AuditToken>;
}

export interface KnownCaller extends AuditCaller {
  /** Of what this caller asks for. */
  readonly resolved: (facts: ResolvedFacts) => AuditPart<AuditToken>;
}

/** Of callers and of tokens: those of the last minutes. Holding what they will not need costs more than making it. */
const IN_USE = 2048;

export function createAuditParts(): AuditParts {
  const callers = new RecentValues<BuildkiteIdentity, KnownCaller>(IN_USE);
  const tokens = new RecentValues<VendedToken, KnownToken>(IN_USE);
  return {
    callerOf: (identity, isNew) => {
      if (isNew) return new Caller(identity);
      const known = callers.get(identity);
      if (known !== undefined) return known;
      const caller = new Caller(identity);
      callers.set(identity, caller);
      return caller;
    },
    vendedOf: (facts) => {
      const known = tokens.get(facts.token);
      if (known !== undefined && isSameReach(known, facts)) return known.part;
      const { repositories, permissions } = facts;
      const part = new AuditPart(vendedFields(facts));
      tokens.set(facts.token, { repositories, permissions, part });
      return part;
    },
  };
}

type Reach = Pick<VendedFacts, "repositories" | "permissions">;

interface KnownToken extends Reach {
  readonly part: AuditPart<AuditToken>;
}

class Caller implements KnownCaller {
  readonly pipeline: KnownCaller["pipeline"];
  readonly authorization: KnownCaller["authorization"];
  /** What it last asked for: most ask for one thing. */
  #last: { readonly facts: ResolvedFacts; readonly part: AuditPart<AuditToken> } | undefined;

  constructor(identity: BuildkiteIdentity) {
    const { organizationSlug, pipelineSlug, jobId, buildNumber, buildBranch } = identity;
    const { subject, issuer, audience, expiresAtEpochSeconds } = identity;
    const expiry = formatEpochSeconds(expiresAtEpochSeconds);
    this.pipeline = new AuditPart({ organizationSlug, pipelineSlug, jobID: jobId, buildNumber, buildBranch });
    this.authorization = new AuditPart({ authorized: true, subject, issuer, audience, expiry });
  }

  resolved(facts: ResolvedFacts): AuditPart<AuditToken> {
    if (this.#last === undefined || !isSameProfile(this.#last.facts, facts))
      this.#last = { facts, part: new AuditPart(resolvedFields(facts)) };
    return this.#last.part;
  }
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
function isSameReach(one: Reach, other: Reach): boolean {
  if (one.permissions !== other.permissions) return false;
  if (one.repositories.kind === "all" || other.repositories.kind === "all") {
    return one.repositories.kind === other.repositories.kind;
  }
  const { names } = other.repositories;
  return (
    one.repositories.names.length === names.length && one.repositories.names.every((name, at) => name === names[at])
  );
}
