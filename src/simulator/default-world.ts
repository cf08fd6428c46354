import type { RsaKey } from "./rsa-key.ts";
import type { BuildkiteWorld, GitHubWorld, Installation, Job, Pipeline, Repository, World } from "./world.ts";

/** Where the default world keeps its profile file, as `GITHUB_ORG_PROFILE` has it. */
export const POLICY_LOCATION = "acme:policy:chinmina/profiles.yaml";
export const POLICY_PATH = "chinmina/profiles.yaml";

export const DEFAULT_POLICY = `pipeline:
  defaults:
    permissions: ["contents:read"]
  profiles:
    - name: release-publisher
      match:
        - claim: build_branch
          value: main
      permissions: ["contents:write"]
    - name: package-reader
      app: packages
      permissions: ["packages:read"]
organization:
  profiles:
    - name: plugins
      repositories: [plugins, gadget]
      permissions: ["contents:read"]
    - name: any-one-repository
      repositories: ["{{caller-scoped-repository}}"]
      permissions: ["contents:read"]
    - name: everything
      match:
        - claim: pipeline_slug
          value: widget
      repositories: ["{{all-repositories}}"]
      permissions: ["contents:read"]
`;

const ACME = 1001;
const GLOBEX = 1002;
const OCTOCAT = 1003;

export interface AppKeys {
  readonly main: RsaKey;
  readonly packages: RsaKey;
  readonly foreign: RsaKey;
}

/**
 * Acme builds on Buildkite and keeps its code at GitHub, where it has installed two Apps: 111, and 333 for packages. Globex and
 * the user octocat are strangers with repositories of the same names.
 */
export function createDefaultWorld(keys: AppKeys): World {
  return { buildkite: createBuildkite(), github: createGitHubWorld(keys) };
}

function createBuildkite(): BuildkiteWorld {
  const organization = {
    id: "0183c4e6-c88c-4e5e-9b3a-000000000001",
    slug: "acme",
    pipelines: [
      pipeline(1, "widget", "https://github.com/acme/widget.git"),
      pipeline(2, "gadget", "git@github.com:acme/gadget.git"),
      pipeline(3, "plugins", "ssh://git@github.com/acme/plugins.git"),
      pipeline(4, "widget-without-suffix", "https://github.com/acme/widget"),
      pipeline(5, "of-another-owner", "https://github.com/globex/widget.git"),
      pipeline(6, "on-another-host", "https://gitlab.com/acme/widget.git"),
      pipeline(7, "without-repository", ""),
    ],
  };
  return {
    organizations: [organization],
    jobs: organization.pipelines.map((one, index) => job(organization.id, one, index + 1)),
    apiTokens: [
      { token: "bkua_simulator", organizationIds: [organization.id], scopes: ["read_pipelines"] },
      { token: "bkua_simulator_without_scope", organizationIds: [organization.id], scopes: [] },
    ],
    agentAccessToken: "simulator-agent-access-token",
  };
}

function pipeline(number: number, slug: string, repositoryUrl: string): Pipeline {
  return {
    id: `0183c4e6-c88c-4e5e-9b3a-00000000100${number}`,
    slug,
    name: slug.replaceAll("-", " "),
    repository: repositoryUrl,
  };
}

/** The one running job of a pipeline: on `main`, in a cluster and a queue. */
function job(organizationId: string, { id }: Pipeline, number: number): Job {
  return {
    id: `0190046e-e199-453b-a302-00000000200${number}`,
    organizationId,
    pipelineId: id,
    agentId: "0190046e-e199-453b-a302-000000003001",
    buildNumber: 40 + number,
    branch: "main",
    commit: "9f3182061f1e2cca4702c368cbc039b7dc9d4485",
    tag: null,
    stepKey: "build",
    cluster: { id: "0190046e-e199-453b-a302-000000004001", name: "Linux" },
    queue: { id: "0190046e-e199-453b-a302-000000005001", key: "default" },
    agentTags: { queue: "default" },
  };
}

function createGitHubWorld(keys: AppKeys): GitHubWorld {
  return {
    accounts: [
      { id: ACME, login: "acme", type: "Organization" },
      { id: GLOBEX, login: "globex", type: "Organization" },
      { id: OCTOCAT, login: "octocat", type: "User" },
    ],
    repositories: [
      repository(2001, ACME, "widget", { "README.md": "# widget\n" }),
      repository(2002, ACME, "gadget", { "README.md": "# gadget\n" }),
      repository(2003, ACME, "plugins", { "README.md": "# plugins\n" }),
      repository(2004, ACME, "policy", { "README.md": "# policy\n", [POLICY_PATH]: DEFAULT_POLICY }),
      repository(2005, GLOBEX, "widget", { "README.md": "# another widget\n" }),
      repository(2006, OCTOCAT, "widget", { "README.md": "# octocat's widget\n" }),
    ],
    apps: [
      { id: 111, slug: "chinmina", clientId: "Iv23simulator111", keys: [keys.main] },
      { id: 333, slug: "chinmina-packages", clientId: "Iv23simulator333", keys: [keys.packages] },
      { id: 555, slug: "chinmina-of-globex", clientId: "Iv23simulator555", keys: [keys.foreign] },
    ],
    installations: [
      installation(222, 111, ACME, "all", ALL_PERMISSIONS),
      installation(223, 111, OCTOCAT, "all", { metadata: "read", contents: "read" }),
      installation(444, 333, ACME, new Set([2001, 2002]), { metadata: "read", contents: "read", packages: "write" }),
      installation(666, 555, GLOBEX, "all", { metadata: "read", contents: "read", packages: "write" }),
    ],
  };
}

const ALL_PERMISSIONS = {
  metadata: "read",
  actions: "read",
  contents: "write",
  issues: "write",
  packages: "read",
  pull_requests: "write",
  statuses: "write",
  workflows: "write",
};

function repository(id: number, ownerId: number, name: string, files: Readonly<Record<string, string>>): Repository {
  const tree = Object.entries(files).map(([path, content]) => [path, { kind: "file", content }] as const);
  return { id, ownerId, name, defaultBranch: "main", branches: new Map([["main", new Map(tree)]]) };
}

function installation(
  id: number,
  appId: number,
  accountId: number,
  repositories: Installation["repositories"],
  permissions: Readonly<Record<string, string>>,
): Installation {
  return { id, appId, accountId, repositories, permissions: { ...permissions }, suspendedAtMs: null };
}
