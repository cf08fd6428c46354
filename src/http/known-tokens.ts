import { AuditPart } from "../audit/audit-part.ts";
import type { AuditToken } from "../audit/entry.ts";
import { ReusedValues } from "../lib/reused-values.ts";
import type { TokenDescription, TokenRepositories } from "../token/token-description.ts";
import { renderTokenReply } from "../token/token-reply.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { vendedFields } from "../vending/audit-token.ts";
import type { AuthorizedRequest, VendingTarget } from "../vending/authorize.ts";
import { repositoriesOf } from "../vending/describe-token.ts";

/** Of tokens: those of the last minutes. */
const IN_USE = 2048;

/** What replies and audit entries show of tokens that are in use. */
export class KnownTokens {
  readonly #tokens = new ReusedValues<VendedToken, KnownToken>(IN_USE);

  of(token: VendedToken, request: AuthorizedRequest): KnownToken {
    const known = this.#tokens.get(token);
    if (known?.isFor(request) === true) return known;
    const made = new KnownToken(token, request);
    this.#tokens.made(token, made);
    return made;
  }
}

/** One token, with what it is said to reach: callers spell a repository in different ways. */
export class KnownToken {
  readonly token: VendedToken;
  readonly part: AuditPart<AuditToken>;
  readonly #target: VendingTarget;
  readonly #permissions: readonly string[];
  readonly #repositories: TokenRepositories;
  #reply: { readonly of: TokenDescription; readonly text: string } | undefined;

  constructor(token: VendedToken, request: AuthorizedRequest) {
    const permissions = request.profile.permissions.names;
    const repositories = repositoriesOf(request, token);
    this.token = token;
    this.part = new AuditPart(vendedFields({ token, repositories, permissions }));
    this.#target = request.target;
    this.#permissions = permissions;
    this.#repositories = repositories;
  }

  /** Profiles that have the same permissions share tokens. */
  isFor({ profile, target }: AuthorizedRequest): boolean {
    return profile.permissions.names === this.#permissions && reachesSame(this.#target, target);
  }

  /** The JSON reply. `disclose` is the same each time. */
  reply(description: TokenDescription, disclose: boolean): string {
    if (this.#reply === undefined || !isSame(this.#reply.of, description)) {
      const text = renderTokenReply(description, this.#repositories, this.token, disclose);
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

/** A pipeline's token reaches what it was made for. */
function reachesSame(one: VendingTarget, other: VendingTarget): boolean {
  if (one.kind === "pipeline" || other.kind === "pipeline") return one.kind === other.kind;
  if (one.repositories.kind === "all" || other.repositories.kind === "all")
    return one.repositories.kind === other.repositories.kind;
  const { names } = other.repositories;
  return (
    names.length === one.repositories.names.length && one.repositories.names.every((name, at) => name === names[at])
  );
}
