import type { JsonObject } from "./json.ts";
import { findAccount, type Account, type App, type GitHubWorld, type Installation, type Repository } from "./world.ts";

/** https://docs.github.com/en/rest/apps/apps#get-the-authenticated-app */
export function describeApp(world: GitHubWorld, { id, slug, clientId }: App): JsonObject {
  return {
    id,
    slug,
    client_id: clientId,
    name: slug.replaceAll("-", " "),
    description: null,
    external_url: "https://bridge.acme.example",
    html_url: `https://github.com/apps/${slug}`,
    events: [],
    installations_count: world.installations.filter(({ appId }) => appId === id).length,
    created_at: "2024-05-03T04:17:55.000Z",
    updated_at: "2024-05-03T04:17:55.000Z",
  };
}

/** https://docs.github.com/en/rest/apps/apps#get-an-installation-for-the-authenticated-app */
export function describeInstallation(api: string, app: App, account: Account, installation: Installation): JsonObject {
  const { id, repositories, permissions, suspendedAtMs } = installation;
  return {
    id,
    account: describeAccount(api, account),
    repository_selection: repositories === "all" ? "all" : "selected",
    access_tokens_url: `${api}/app/installations/${id}/access_tokens`,
    repositories_url: `${api}/installation/repositories`,
    html_url: `https://github.com/organizations/${account.login}/settings/installations/${id}`,
    app_id: app.id,
    client_id: app.clientId,
    app_slug: app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: { metadata: "read", ...permissions },
    events: [],
    created_at: "2024-05-03T04:17:55.000Z",
    updated_at: "2024-05-03T04:17:55.000Z",
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: null,
    suspended_at: suspendedAtMs === null ? null : new Date(suspendedAtMs).toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

export function describeRepository(api: string, world: GitHubWorld, repository: Repository): JsonObject {
  const owner = findAccount(world, repository.ownerId);
  const fullName = `${owner?.login}/${repository.name}`;
  return {
    id: repository.id,
    node_id: `R_${repository.id}`,
    name: repository.name,
    full_name: fullName,
    private: true,
    owner: owner === undefined ? null : describeAccount(api, owner),
    html_url: `https://github.com/${fullName}`,
    description: null,
    fork: false,
    url: `${api}/repos/${fullName}`,
    default_branch: repository.defaultBranch,
    visibility: "private",
  };
}

function describeAccount(api: string, { login, id, type }: Account): JsonObject {
  return {
    login,
    id,
    node_id: `O_${id}`,
    avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
    url: `${api}/users/${login}`,
    html_url: `https://github.com/${login}`,
    type,
    user_view_type: "public",
    site_admin: false,
  };
}
