/** Which profile a request names. The name is as the client wrote it; no profile of that name need exist. */
export interface ProfileReference {
  readonly kind: "pipeline" | "organization";
  readonly name: string;
}

export type ParsedReference =
  | { readonly kind: "reference"; readonly reference: ProfileReference }
  /** `cause` is for the audit entry. */
  | { readonly kind: "malformed"; readonly cause: string };

/** The pipeline profile that needs no rules and always exists. */
export const DEFAULT_PROFILE = "default";

const KINDS: ReadonlyMap<string, ProfileReference["kind"]> = new Map([
  ["repo", "pipeline"],
  ["org", "organization"],
]);

/**
 * Reads the `{profile}` of a path, already percent-decoded: `NAME`, or `repo:NAME` on pipeline routes and `org:NAME` on
 * organization routes. What follows the first colon is the name; no profile has another colon in its own. Never throws.
 */
export function parseReference(text: string, route: ProfileReference["kind"]): ParsedReference {
  const colon = text.indexOf(":");
  const name = text.slice(colon + 1);
  if (name === "") return { kind: "malformed", cause: "profile reference without a name" };
  if (colon < 0) return { kind: "reference", reference: { kind: route, name } };
  const kind = KINDS.get(text.slice(0, colon));
  if (kind === undefined) return { kind: "malformed", cause: "profile reference of an unknown type" };
  if (kind !== route) return { kind: "malformed", cause: `profile reference of another type than ${route}` };
  return { kind: "reference", reference: { kind, name } };
}

/** `repo:NAME` or `org:NAME`, as findings and logs name a profile. */
export function labelOf({ kind, name }: ProfileReference): string {
  return `${kind === "pipeline" ? "repo" : "org"}:${name}`;
}
