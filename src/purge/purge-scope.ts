/** Which tokens a purge takes back. */
export type PurgeScope =
  | { readonly kind: "all" }
  /** Without `profileKind`: pipeline and organization profiles of that name. Every generation, App, pipeline and repository of it. */
  | { readonly kind: "profile"; readonly name: string; readonly profileKind?: "pipeline" | "organization" | undefined }
  | { readonly kind: "pipeline"; readonly pipelineId: string }
  | { readonly kind: "app"; readonly appId: number; readonly installationId: number };

/** What is known of a token without looking at it. */
export interface TokenOrigin {
  readonly appId: number;
  readonly installationId: number;
  readonly profileKind: "pipeline" | "organization";
  readonly profileName: string;
  /** Absent for organization profiles: pipelines share their tokens. */
  readonly pipelineId: string | undefined;
  /** The profile's canonical name, as audit entries show it. */
  readonly urn: string;
}

/** Whether a token of this origin is meant. One of unknown origin always is: in doubt, a purge takes back. */
export function covers(scope: PurgeScope, origin: TokenOrigin | undefined): boolean {
  if (origin === undefined) return true;
  switch (scope.kind) {
    case "all":
      return true;
    case "profile":
      return (
        scope.name === origin.profileName &&
        (scope.profileKind === undefined || scope.profileKind === origin.profileKind)
      );
    case "pipeline":
      return scope.pipelineId === origin.pipelineId;
    case "app":
      return scope.appId === origin.appId && scope.installationId === origin.installationId;
  }
}
