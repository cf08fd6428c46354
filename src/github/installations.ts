import * as v from "valibot";
import { parseReply } from "../lib/parse-reply.ts";
import type { AppJwtSource } from "./app-jwt.ts";
import type { GitHubApp } from "./app.ts";
import type { GitHubClient } from "./client.ts";

const InstallationReply = v.object({
  account: v.nullable(
    v.object({ id: v.pipe(v.number(), v.integer()), login: v.string(), type: v.optional(v.string(), "") }),
  ),
});

/** Whom an installation belongs to. Ids decide, not logins: a login can be taken over. */
export interface InstallationAccount {
  readonly id: number;
  readonly login: string;
  /** `Organization`, `User`, or what else GitHub knows (an enterprise). */
  readonly type: string;
}

/**
 * Asks GitHub whose installation this is (`GET /app/installations/ID`); undefined when it has no account.
 * Throws `UpstreamFault`; `upstream-refused` also when the installation is not this App's.
 */
export async function readInstallationAccount(
  client: GitHubClient,
  app: GitHubApp,
  appJwt: AppJwtSource,
): Promise<InstallationAccount | undefined> {
  const operation = "read installation";
  const bearer = await appJwt.current();
  const response = await client.call({
    operation,
    method: "GET",
    path: `/app/installations/${app.installationId}`,
    bearer,
  });
  return parseReply(InstallationReply, response, { upstream: "github", operation }).account ?? undefined;
}
