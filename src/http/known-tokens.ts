import { AuditPart } from "../audit/audit-part.ts";
import type { AuditToken } from "../audit/entry.ts";
import { RecentValues } from "../lib/recent-values.ts";
import type { TokenDescription } from "../token/token-description.ts";
import { renderTokenReply } from "../token/token-reply.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { vendedFields, type VendedFacts } from "../vending/audit-token.ts";

/** Of tokens: those of the last minutes. */
const IN_USE = 2048;

type Reach = Omit<VendedFacts, "source">;

/**
 * What replies and audit entries show of tokens: kept from a token's second use on, while it is in use. Holding what nobody may need again
 * costs more than making it.
 */
export class KnownTokens {
  readonly #tokens = new RecentValues<VendedToken, KnownToken | "used once">(IN_USE);

  of(reach: Reach): KnownToken {
    const known = this.#tokens.get(reach.token);
    if (known instanceof KnownToken && known.reaches(reach)) return known;
    const made = new KnownToken(reach);
    this.#tokens.set(reach.token, known === undefined ? "used once" : made);
    return made;
  }
}

/** One token, with what it is said to reach: callers spell a repository in different ways. */
export class KnownToken {
  readonly token: VendedToken;
  readonly part: AuditPart<AuditToken>;
  readonly #reach: Reach;
  #reply: { readonly of: TokenDescription; readonly text: string } | undefined;

  constructor(reach: Reach) {
    this.token = reach.token;
    this.part = new AuditPart(vendedFields(reach));
    this.#reach = reach;
  }

  /** Profiles that have the same permissions share tokens. */
  reaches({ permissions, repositories }: Reach): boolean {
    const mine = this.#reach;
    if (permissions !== mine.permissions) return false;
    if (repositories.kind === "all" || mine.repositories.kind === "all")
      return repositories.kind === mine.repositories.kind;
    const { names } = repositories;
    return (
      names.length === mine.repositories.names.length && mine.repositories.names.every((name, at) => name === names[at])
    );
  }

  /** The JSON reply. `disclose` is the same each time. */
  reply(description: TokenDescription, disclose: boolean): string {
    if (this.#reply === undefined || !isSame(this.#reply.of, description)) {
      const text = renderTokenReply(description, this.#reach.repositories, this.token, disclose);
      this.#reply = { of: description, text };
    }
    return this.#reply.text;
  }
}

function isSame(one: TokenDescription, other: TokenDescription): boolean {
  return (
    one.profile === other.profile &&
    one.organizationSlug === other.organizationSlug &&
    one.permissions === other.permissions &&
    one.app === other.app
  );
}
