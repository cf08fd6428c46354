import * as v from "valibot";
import type { TokenDescription, TokenRepositories } from "./token-description.ts";
import { renderTokenReply } from "./token-reply.ts";
import { VendedToken } from "./vended-token.ts";

/** What a stored token must be to serve the request at hand. */
export interface ExpectedToken {
  readonly description: TokenDescription;
  readonly nowMs: () => number;
  readonly repositoriesOf: (token: VendedToken) => TokenRepositories;
  /**
   * The repository URL of a token that reaches these repositories and was stored with this URL, as far as it serves this request;
   * undefined: it does not.
   */
  readonly admit: (repositories: TokenRepositories, repositoryUrl: string) => string | undefined;
}

/** `broken-json` can never be read by anyone; the others may be right for another request or another version. */
export type TokenVerdict =
  | { readonly kind: "value"; readonly value: VendedToken }
  | { readonly kind: "unused"; readonly why: "broken-json" | "malformed" | "another-request" | "expiry" };

export interface TokenCodec {
  readonly encode: (token: VendedToken) => string;
  readonly decode: (text: string) => TokenVerdict;
}

/** A job must be able to work with a token for a while, and GitHub's live an hour; the rest is for clocks that differ. */
const LEAST_LEFT_SECONDS = 5 * 60;
const MOST_LEFT_SECONDS = 65 * 60;

/**
 * A token as the JSON of `POST /token`'s reply with the App's ids, as every instance of a mixed fleet stores it.
 *
 * Trust model: whoever can write to the store may have put one request's entry in the place of another's. So what decides the reach of a
 * token is compared with what GitHub would be asked for now. What GitHub really granted under the token is not known here.
 */
export function createTokenCodec(expected: ExpectedToken): TokenCodec {
  return {
    encode: (token) => renderTokenReply(expected.description, expected.repositoriesOf(token), token, true),
    decode: (text) => {
      const json = parseJson(text);
      if (json === undefined) return unused("broken-json");
      const parsed = v.safeParse(StoredToken, json.value);
      return parsed.success ? judge(parsed.output, expected) : unused("malformed");
    },
  };
}

/** `{"names":[…]}` or `{"wildcard":true}`; both at once is neither. */
const Repositories = v.pipe(
  v.object({ names: v.nullish(v.array(v.string())), wildcard: v.optional(v.boolean(), false) }),
  v.check(({ names, wildcard }) => wildcard !== Array.isArray(names)),
  v.transform(({ names }): TokenRepositories => (names ? { kind: "names", names } : { kind: "all" })),
);
const OptionalId = v.optional(v.pipe(v.number(), v.safeInteger()));

const StoredToken = v.object({
  organizationSlug: v.string(),
  profile: v.string(),
  repositoryUrl: v.string(),
  repositories: Repositories,
  permissions: v.array(v.string()),
  appId: OptionalId,
  installationId: OptionalId,
  token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,4096}$/)),
  hashedToken: v.string(),
  expiry: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/), v.transform(Date.parse), v.finite()),
});

type Stored = v.InferOutput<typeof StoredToken>;

function judge(stored: Stored, { description, admit, nowMs }: ExpectedToken): TokenVerdict {
  const repositoryUrl = admit(stored.repositories, stored.repositoryUrl);
  if (repositoryUrl === undefined || !isDescribed(stored, description)) return unused("another-request");
  const leftSeconds = (stored.expiry - nowMs()) / 1000;
  if (!(leftSeconds >= LEAST_LEFT_SECONDS && leftSeconds <= MOST_LEFT_SECONDS)) return unused("expiry");
  const token = new VendedToken(stored.token, stored.expiry / 1000, repositoryUrl);
  return token.tokenSha256Base64 === stored.hashedToken ? { kind: "value", value: token } : unused("another-request");
}

function isDescribed(stored: Stored, { organizationSlug, profile, permissions, app }: TokenDescription): boolean {
  return (
    stored.organizationSlug === organizationSlug &&
    withLowerCaseScope(stored.profile) === withLowerCaseScope(profile) &&
    Bun.deepEquals(stored.permissions.toSorted(), permissions.toSorted()) &&
    (stored.appId ?? app.appId) === app.appId &&
    (stored.installationId ?? app.installationId) === app.installationId
  );
}

/** `org:NAME/REPOSITORY`: callers who spell the repository in different ways share an entry, as GitHub takes every spelling for one. */
function withLowerCaseScope(profile: string): string {
  const slash = profile.indexOf("/");
  return slash < 0 ? profile : profile.slice(0, slash) + profile.slice(slash).toLowerCase();
}

/** An object around the value tells `null` from what cannot be parsed. */
function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function unused(why: Extract<TokenVerdict, { readonly kind: "unused" }>["why"]): TokenVerdict {
  return { kind: "unused", why };
}
