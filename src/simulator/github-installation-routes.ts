import { createHash } from "node:crypto";
import { readContents } from "./github-contents.ts";
import { BAD_CREDENTIALS, NOT_FOUND, refusal, SUSPENDED, type GitHubReply } from "./github-reply.ts";
import { anonymous, metered, type GitHubState, type Outcome } from "./github-state.ts";
import type { IssuedToken } from "./installation-tokens.ts";
import type { Asked } from "./upstream-server.ts";
import { findAccount, findRepository, repositoriesOf, type Installation } from "./world.ts";

/** What is asked with an installation token: to revoke it, and to read a repository. */
export function answerInstallation(state: GitHubState, asked: Asked): Outcome {
  const bearer = /^(?:bearer|token) +(\S+)$/i.exec(asked.headers.get("authorization") ?? "")?.[1] ?? "";
  const token = state.tokens.findLive(bearer, state.clock.nowMs());
  const installation = state.world.installations.find(({ id }) => id === token?.installationId);
  if (token === undefined || installation === undefined) return anonymous(BAD_CREDENTIALS);
  return metered(state, `installation:${installation.id}`, () => {
    if (installation.suspendedAtMs !== null) return SUSPENDED;
    if (asked.method === "DELETE" && asked.segments.join("/") === "installation/token") {
      state.tokens.revoke(bearer);
      return { status: 204 };
    }
    return conditional(asked, contents(state, token, installation, asked));
  });
}

/** A repository out of the token's reach is not there at all; one in reach without the permission is forbidden. */
function contents(state: GitHubState, token: IssuedToken, installation: Installation, asked: Asked): GitHubReply {
  const [repos, owner = "", name = "", noun, ...path] = asked.segments;
  if (asked.method !== "GET" || repos !== "repos" || noun !== "contents") return NOT_FOUND;
  const repository = findRepository(state.world, owner, name);
  const inReach = repositoriesOf(state.world, installation).some(
    (one) => one === repository && (token.repositoryIds === undefined || token.repositoryIds.includes(one.id)),
  );
  if (repository === undefined || !inReach) return NOT_FOUND;
  if (token.permissions["contents"] === undefined) {
    const forbidden = refusal(403, "Resource not accessible by integration");
    return { ...forbidden, headers: { "x-accepted-github-permissions": "contents=read" } };
  }
  return readContents({
    apiUrl: state.url(),
    owner: findAccount(state.world, repository.ownerId)?.login ?? owner,
    repository,
    path: path.join("/"),
    ref: asked.query.get("ref"),
    accept: asked.headers.get("accept") ?? "",
  });
}

/**
 * Gives a success its ETag, or says that the asker has it already. GitHub's entity tags depend on the token: one that was learnt
 * with another token never matches, whatever the content (https://github.com/eclipse-csi/otterdog/issues/201).
 */
function conditional({ headers }: Asked, reply: GitHubReply): GitHubReply {
  if (reply.status !== 200) return reply;
  const body = reply.body instanceof Uint8Array ? reply.body : JSON.stringify(reply.body);
  const asker = `${headers.get("authorization")}\n${headers.get("accept")}\n`;
  const tag = `"${createHash("sha256").update(asker).update(body).digest("hex")}"`;
  const known = (headers.get("if-none-match") ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  const withTag = { ...reply.headers, etag: `W/${tag}` };
  return known.includes(tag) ? { status: 304, headers: withTag } : { ...reply, headers: withTag };
}
