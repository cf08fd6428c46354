import { POLICY_LOCATION } from "./default-world.ts";
import { privateKeyPem, type RsaKey } from "./rsa-key.ts";
import type { World } from "./world.ts";

export interface EnvironmentOptions {
  /** Names the default world's second App in `GITHUB_APPS`, as `packages`. Default: no. */
  readonly registry?: boolean;
}

export interface EnvironmentParts {
  readonly world: World;
  readonly audience: string;
  readonly oidc: { readonly url: string };
  readonly buildkite: { readonly url: string };
  readonly github: { readonly url: string };
}

/** The variables that point a bridge at this world, keys as PEM text. */
export function describeEnvironment(parts: EnvironmentParts, options: EnvironmentOptions): Record<string, string> {
  const { world, audience } = parts;
  return {
    JWT_ISSUER_URL: parts.oidc.url,
    JWT_AUDIENCE: audience,
    JWT_BUILDKITE_ORGANIZATION_SLUG: world.buildkite.organizations[0]?.slug ?? "",
    BUILDKITE_API_URL: parts.buildkite.url,
    BUILDKITE_API_TOKEN: world.buildkite.apiTokens[0]?.token ?? "",
    GITHUB_API_URL: parts.github.url,
    GITHUB_APP_ID: "111",
    GITHUB_APP_INSTALLATION_ID: "222",
    GITHUB_APP_PRIVATE_KEY: privateKeyPem(keyOf(world, 111)),
    GITHUB_ORG_PROFILE: POLICY_LOCATION,
    ...(options.registry === true ? { GITHUB_APPS: JSON.stringify([packagesApp(world)]) } : {}),
  };
}

function packagesApp(world: World) {
  return { name: "packages", appId: 333, installationId: 444, privateKey: privateKeyPem(keyOf(world, 333)) };
}

function keyOf(world: World, appId: number): RsaKey {
  const key = world.github.apps.find(({ id }) => id === appId)?.keys[0];
  if (key === undefined) throw new TypeError(`the world has no App ${appId} with a key`);
  return key;
}
