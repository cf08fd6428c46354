import { authenticateApp } from "./github-app-jwt.ts";
import { decideGrant } from "./github-grant.ts";
import { describeApp, describeInstallation, describeRepository } from "./github-json.ts";
import { NOT_FOUND, SUSPENDED, type GitHubReply } from "./github-reply.ts";
import { anonymous, metered, type GitHubState, type Outcome } from "./github-state.ts";
import type { IssuedToken } from "./installation-tokens.ts";
import type { JsonObject } from "./json.ts";
import type { Asked } from "./upstream-server.ts";
import { findAccount, type App, type Installation, type Repository } from "./world.ts";

/** What an App asks with its own JWT: about an installation of its own, and for a token of it. */
export async function answerApp(state: GitHubState, asked: Asked): Promise<Outcome> {
  const caller = await authenticateApp(state.world, asked.headers.get("authorization"), state.clock.nowMs());
  if (caller.kind === "refused") return anonymous(caller.reply);
  const { app } = caller;
  return metered(state, `app:${app.id}`, () => answerKnownApp(state, app, asked));
}

function answerKnownApp(state: GitHubState, app: App, { method, segments, body }: Asked): GitHubReply {
  if (method === "GET" && segments.length === 1) {
    return { status: 200, body: describeApp(state.world, app) };
  }
  const [, , id, action, ...rest] = segments;
  const installation = state.world.installations.find((one) => `${one.id}` === id && one.appId === app.id);
  const account = installation === undefined ? undefined : findAccount(state.world, installation.accountId);
  if (installation === undefined || account === undefined || rest.length > 0) return NOT_FOUND;
  if (method === "GET" && action === undefined) {
    return { status: 200, body: describeInstallation(state.url(), app, account, installation) };
  }
  return method === "POST" && action === "access_tokens" ? mint(state, installation, body) : NOT_FOUND;
}

function mint(state: GitHubState, installation: Installation, body: string): GitHubReply {
  if (installation.suspendedAtMs !== null) return SUSPENDED;
  const decision = decideGrant(state.world, installation, body);
  if (decision.kind === "refused") return decision.reply;
  const { permissions, repositories } = decision;
  const grant = repositories === undefined ? {} : { repositoryIds: repositories.map(({ id }) => id) };
  const issued = state.tokens.issue(installation, { permissions, ...grant }, state.clock.nowMs());
  const reply = describeGrant(state, installation, issued, repositories);
  const tamper = state.tamperGrant();
  return { status: 201, body: tamper === undefined ? reply : tamper(reply) };
}

/** `repositories` is there only when the request named some. */
function describeGrant(
  state: GitHubState,
  installation: Installation,
  issued: IssuedToken,
  repositories: readonly Repository[] | undefined,
): JsonObject {
  const { token, permissions, expiresAtMs } = issued;
  const everything = repositories === undefined && installation.repositories === "all";
  return {
    token,
    expires_at: new Date(expiresAtMs).toISOString().replace(".000Z", "Z"),
    permissions,
    repository_selection: everything ? "all" : "selected",
    ...(repositories === undefined
      ? {}
      : { repositories: repositories.map((one) => describeRepository(state.url(), state.world, one)) }),
  };
}
