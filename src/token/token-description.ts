/** The repositories a token reaches. */
export type TokenRepositories =
  { readonly kind: "names"; readonly names: readonly string[] } | { readonly kind: "all" };

/** What a token was vended as: the part of a reply that the request decides. */
export interface TokenDescription {
  readonly organizationSlug: string;
  /** `repo:NAME`, or `org:NAME[/REPOSITORY]`. */
  readonly profile: string;
  readonly permissions: readonly string[];
  readonly app: { readonly name: string; readonly appId: number; readonly installationId: number };
}
