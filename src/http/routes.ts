/** What a token route answers with, and which profiles it serves. */
export interface TokenRoute {
  readonly kind: "token";
  /** As telemetry and the OpenAPI document name it. */
  readonly pattern: string;
  readonly profileKind: "pipeline" | "organization";
  readonly format: "json" | "git";
}

export interface HealthRoute {
  readonly kind: "health";
  readonly pattern: "/healthcheck";
}

export type Route = TokenRoute | HealthRoute;

/** Everything the service answers; the OpenAPI document is compared with it. */
export const ROUTES: readonly Route[] = [
  { kind: "token", pattern: "/token", profileKind: "pipeline", format: "json" },
  { kind: "token", pattern: "/token/{profile}", profileKind: "pipeline", format: "json" },
  { kind: "token", pattern: "/git-credentials", profileKind: "pipeline", format: "git" },
  { kind: "token", pattern: "/git-credentials/{profile}", profileKind: "pipeline", format: "git" },
  { kind: "token", pattern: "/organization/token/{profile}", profileKind: "organization", format: "json" },
  { kind: "token", pattern: "/organization/git-credentials/{profile}", profileKind: "organization", format: "git" },
  { kind: "health", pattern: "/healthcheck" },
];

export type RouteMatch =
  | { readonly kind: "token"; readonly route: TokenRoute; readonly rawProfile: string | undefined }
  | { readonly kind: "health" }
  | { readonly kind: "not-found" }
  | { readonly kind: "method-not-allowed"; readonly allow: string };

const NOT_FOUND: RouteMatch = { kind: "not-found" };
const PROFILE = "/{profile}";
const BARE = new Map(ROUTES.filter(({ pattern }) => !pattern.endsWith(PROFILE)).map((route) => [route.pattern, route]));
const WITH_PROFILE = new Map(
  ROUTES.filter(({ pattern }) => pattern.endsWith(PROFILE)).map((route) => [
    route.pattern.slice(0, -PROFILE.length),
    route,
  ]),
);

/**
 * Finds the route of a raw path (before any decoding, without query). Matches whole segments only: another path, a trailing or a double
 * slash is not found. The profile segment comes back as it was sent.
 */
export function matchRoute(method: string, path: string, basePath: string): RouteMatch {
  const below = stripBase(path, basePath);
  if (below === undefined) return NOT_FOUND;
  const bare = BARE.get(below);
  if (bare !== undefined) return allowed(bare, method, undefined);
  const lastSlash = below.lastIndexOf("/");
  const rawProfile = below.slice(lastSlash + 1);
  const route = rawProfile === "" ? undefined : WITH_PROFILE.get(below.slice(0, lastSlash));
  return route === undefined ? NOT_FOUND : allowed(route, method, rawProfile);
}

function allowed(route: Route, method: string, rawProfile: string | undefined): RouteMatch {
  if (route.kind === "health") {
    return method === "GET" || method === "HEAD"
      ? { kind: "health" }
      : { kind: "method-not-allowed", allow: "GET, HEAD" };
  }
  return method === "POST" ? { kind: "token", route, rawProfile } : { kind: "method-not-allowed", allow: "POST" };
}

/** `/api` is a prefix of `/api/token`, not of `/apitoken`. */
function stripBase(path: string, basePath: string): string | undefined {
  if (basePath === "") return path;
  return path.startsWith(basePath) && path[basePath.length] === "/" ? path.slice(basePath.length) : undefined;
}
