import * as v from "valibot";
import { parseReply } from "../lib/parse-reply.ts";
import type { AppJwtSource } from "./app-jwt.ts";
import type { GitHubApp } from "./app.ts";
import type { GitHubClient } from "./client.ts";

const InstallationReply = v.object({
  account: v.nullable(
    v.object({ id: v.pipe(v.number(), v.integer()), login: v.string(), type: v.optional(v.string(), "") }),
  ),
  permissions: v.optional(v.record(v.string(), v.string()), {}),
  repository_selection: v.optional(v.string(), ""),
  suspended_at: v.nullish(v.string()),
});

/** Whom an installation belongs to. Ids decide, not logins: a login can be taken over. */
export interface InstallationAccount {
  readonly id: number;
  readonly login: string;
  /** `Organization`, `User`, or what else GitHub knows (an enterprise). */
  readonly type: string;
}

/** An installation as GitHub tells it. */
export interface Installation {
  readonly account: InstallationAccount | undefined;
  /** What it holds, by GitHub's field names: no token can have more. */
  readonly permissions: Readonly<Record<string, string>>;
  /** Whether it reaches every repository of the account, those of tomorrow included. */
  readonly reachesAll: boolean;
  readonly isSuspended: boolean;
}

/**
 * Asks GitHub about this installation (`GET /app/installations/ID`).
 * Throws `UpstreamFault`; `upstream-refused` also when the installation is not this App's.
 */
export async function readInstallation(
  client: GitHubClient,
  app: GitHubApp,
  appJwt: AppJwtSource,
): Promise<Installation> {
  const operation = "read installation";
  const bearer = await appJwt.current();
  const response = await client.call({
    operation,
    method: "GET",
    path: `/app/installations/${app.installationId}`,
    bearer,
  });
  const reply = parseReply(InstallationReply, response, { upstream: "github", operation });
  return {
    account: reply.account ?? undefined,
    permissions: reply.permissions,
    reachesAll: reply.repository_selection === "all",
    isSuspended: typeof reply.suspended_at === "string",
  };
}
