import type { ProfileSource } from "../config/configuration.ts";
import { readFile } from "../github/contents.ts";
import type { GitHubClient } from "../github/client.ts";
import type { Grant, TokenRequest } from "../github/installation-tokens.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { ProfileFileSource } from "../profiles/profile-file-source.ts";
import { findExcess } from "../vending/grant-check.ts";
import type { AppConnection } from "../vending/mint.ts";

/** A token is replaced this long before its end, so that no read is refused half-way. */
const REPLACE_BEFORE_END_MS = 10 * 60 * 1000;

export interface GitHubPolicySourceOptions {
  readonly location: Extract<ProfileSource, { readonly kind: "github" }>;
  readonly client: GitHubClient;
  readonly connection: AppConnection;
  readonly clock: Clock;
}

/**
 * The profile file in its GitHub repository, read with a token of its own: for that repository alone, `contents:read`. The token is kept
 * between reads, because GitHub's ETags differ from token to token: with a new one at each read nothing would ever be "unchanged".
 */
export function createGitHubPolicySource({
  location,
  client,
  connection,
  clock,
}: GitHubPolicySourceOptions): ProfileFileSource {
  const asked: TokenRequest = {
    permissions: { contents: "read", metadata: "read" },
    repositories: { kind: "names", names: [location.repository] },
  };
  let held: Grant | undefined;

  const currentToken = async (): Promise<string> => {
    if (held !== undefined && held.expiresAtEpochSeconds * 1000 - clock.nowMs() > REPLACE_BEFORE_END_MS)
      return held.token;
    const grant = await connection.createToken(asked);
    const excess = findExcess(asked, location.owner, grant, clock.nowMs());
    if (excess !== undefined) {
      await connection.revokeToken(grant.token).catch(() => undefined);
      throw new BridgeError("grant-too-wide", `read profile file: github ${excess}`);
    }
    held = grant;
    return grant.token;
  };

  return {
    fetch: async ({ previousEtag, signal }) => {
      const token = await currentToken();
      try {
        return await readFile(client, {
          location,
          token,
          signal,
          ...(previousEtag === undefined ? {} : { previousEtag }),
        });
      } catch (error) {
        // It may have been revoked: the next read starts with a new one.
        held = undefined;
        throw error;
      }
    },
  };
}
