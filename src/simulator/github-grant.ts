import { refusal, type GitHubReply } from "./github-reply.ts";
import { isJsonObject, parseJson, type JsonObject } from "./json.ts";
import { repositoriesOf, sameName, type GitHubWorld, type Installation, type Repository } from "./world.ts";

export type GrantDecision =
  | {
      readonly kind: "granted";
      readonly permissions: Readonly<Record<string, string>>;
      /** Absent: all that the installation reaches, now and later. */
      readonly repositories?: readonly Repository[];
    }
  | { readonly kind: "refused"; readonly reply: GitHubReply };

const LEVELS = ["read", "write", "admin"];

/** Permissions that exist only as `write` in GitHub's schema. */
const WRITE_ONLY = new Set(["workflows", "profile"]);

const MOST_REPOSITORIES = 500;

/**
 * What a token may do that is asked for with this body, by GitHub's rules: an absent **or empty** list of repositories is every one
 * of them, absent or empty permissions are all of the installation's, and anything the installation lacks refuses the whole.
 * https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
 */
export function decideGrant(world: GitHubWorld, installation: Installation, bodyText: string): GrantDecision {
  const body = bodyText === "" ? {} : parseJson(bodyText);
  if (!isJsonObject(body)) return refused(400, "Problems parsing JSON");
  const repositories = chooseRepositories(repositoriesOf(world, installation), body);
  if (typeof repositories === "string") return refused(422, repositories);
  const permissions = choosePermissions(installation.permissions, body["permissions"] ?? {});
  if (typeof permissions === "string") return refused(422, permissions);
  return { kind: "granted", permissions, ...(repositories === undefined ? {} : { repositories }) };
}

/** A string is the reason of a refusal; undefined is every repository. */
function chooseRepositories(
  reachable: readonly Repository[],
  body: JsonObject,
): readonly Repository[] | string | undefined {
  const names = body["repositories"] ?? [];
  const ids = body["repository_ids"] ?? [];
  if (!Array.isArray(names) || names.some((name) => typeof name !== "string")) {
    return "Invalid request.\n\nFor 'properties/repositories', not an array of strings.";
  }
  if (!Array.isArray(ids) || ids.some((id) => !Number.isSafeInteger(id))) {
    return "Invalid request.\n\nFor 'properties/repository_ids', not an array of integers.";
  }
  if (names.length + ids.length === 0) return undefined;
  if (names.length + ids.length > MOST_REPOSITORIES)
    return `No more than ${MOST_REPOSITORIES} repositories are allowed.`;
  const byName = names.map((name) => reachable.find((one) => sameName(one.name, String(name))));
  const byId = ids.map((id) => reachable.find((one) => one.id === id));
  const chosen = new Set<Repository>();
  for (const repository of [...byName, ...byId]) {
    if (repository === undefined) {
      return "There is at least one repository that does not exist or is not accessible to the parent installation.";
    }
    chosen.add(repository);
  }
  return [...chosen];
}

function choosePermissions(held: Readonly<Record<string, string>>, asked: unknown): Record<string, string> | string {
  if (!isJsonObject(asked)) return "Invalid request.\n\nFor 'properties/permissions', not an object.";
  const wanted = Object.keys(asked).length === 0 ? held : asked;
  const granted: Record<string, string> = {};
  for (const [field, level] of Object.entries(wanted)) {
    if (typeof level !== "string" || !isHeld(held, field, level)) {
      return "The permissions requested are not granted to this installation.";
    }
    granted[field] = level;
  }
  return { ...granted, metadata: granted["metadata"] ?? "read" };
}

function isHeld(held: Readonly<Record<string, string>>, field: string, level: string): boolean {
  if (WRITE_ONLY.has(field) && level !== "write") return false;
  const rank = LEVELS.indexOf(level);
  return rank >= 0 && rank <= LEVELS.indexOf(held[field] ?? (field === "metadata" ? "read" : ""));
}

function refused(status: number, message: string): GrantDecision {
  return { kind: "refused", reply: refusal(status, message) };
}
