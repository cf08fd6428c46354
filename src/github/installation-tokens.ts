import * as v from "valibot";
import { parseReply } from "../lib/parse-reply.ts";
import type { AppJwtSource } from "./app-jwt.ts";
import type { GitHubApp } from "./app.ts";
import type { GitHubClient } from "./client.ts";

/** Which repositories a token is asked for. "All" is a word of its own: GitHub reads an absent list as every repository. */
export type RepositorySelection =
  { readonly kind: "names"; readonly names: readonly [string, ...string[]] } | { readonly kind: "all" };

export interface TokenRequest {
  readonly permissions: Readonly<Record<string, string>>;
  readonly repositories: RepositorySelection;
}

const TokenReply = v.object({
  token: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,4096}$/)),
  expires_at: v.pipe(v.string(), v.isoTimestamp()),
  permissions: v.record(v.string(), v.string()),
  repository_selection: v.picklist(["all", "selected"]),
  repositories: v.optional(v.array(v.object({ name: v.string(), owner: v.object({ login: v.string() }) }))),
});

/** What GitHub says it granted. Unchecked: whoever uses it compares it with what was asked. */
export interface Grant {
  readonly token: string;
  readonly expiresAtEpochSeconds: number;
  readonly permissions: Readonly<Record<string, string>>;
  readonly selection: "all" | "selected";
  /** Absent when GitHub listed none. */
  readonly repositories?: readonly { readonly owner: string; readonly name: string }[];
}

/** Mints one token (`POST /app/installations/ID/access_tokens`). Throws `UpstreamFault`, and `OverBudget` for its `caller`. A repeat mints another token. */
export async function createInstallationToken(
  client: GitHubClient,
  app: GitHubApp,
  appJwt: AppJwtSource,
  request: TokenRequest,
  caller?: string,
): Promise<Grant> {
  const operation = "create installation token";
  const response = await client.call({
    operation,
    method: "POST",
    path: `/app/installations/${app.installationId}/access_tokens`,
    bearer: await appJwt.current(),
    ...(caller === undefined ? {} : { caller }),
    json: {
      permissions: request.permissions,
      ...(request.repositories.kind === "names" ? { repositories: request.repositories.names } : {}),
    },
  });
  const reply = parseReply(TokenReply, response, { upstream: "github", operation });
  return {
    token: reply.token,
    expiresAtEpochSeconds: Math.floor(Date.parse(reply.expires_at) / 1000),
    permissions: reply.permissions,
    selection: reply.repository_selection,
    ...(reply.repositories === undefined
      ? {}
      : { repositories: reply.repositories.map(({ name, owner }) => ({ name, owner: owner.login })) }),
  };
}

/** Takes a token back at once (`DELETE /installation/token`). Throws `UpstreamFault`. */
export async function revokeInstallationToken(client: GitHubClient, token: string): Promise<void> {
  await client.call({
    operation: "revoke installation token",
    method: "DELETE",
    path: "/installation/token",
    bearer: token,
  });
}
