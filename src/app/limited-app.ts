import type { AppConfiguration } from "../config/configuration.ts";
import { createGitHubClient, type GitHubClient } from "../github/client.ts";
import { createInstallationToken, revokeInstallationToken } from "../github/installation-tokens.ts";
import { RateLimits } from "../github/rate-limits.ts";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import { OverBudget } from "../lib/over-budget.ts";
import { isOutage } from "../lib/upstream-verdict.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { AppConnection } from "../vending/mint.ts";
import { connectApp, type AppParts, type ConnectedApp } from "./connected-app.ts";
import { reportRateLimits } from "./report-limits.ts";

/** One App within GitHub's limits, which are its own. */
export interface LimitedApp extends ConnectedApp {
  readonly limits: RateLimits;
  /** The same App, with the same limits, through other connections; and a client for what is read with a token of it. */
  readonly connectThrough: (fetch: BoundedFetch) => {
    readonly connection: AppConnection;
    readonly client: GitHubClient;
  };
}

export interface LimitedAppParts extends AppParts {
  /** For requests. */
  readonly fetch: BoundedFetch;
  readonly logger: Logger;
}

export function connectLimitedApp(configuration: AppConfiguration, apiUrl: URL, parts: LimitedAppParts): LimitedApp {
  const { fetch, clock, logger } = parts;
  const limits = new RateLimits(clock, reportRateLimits(configuration, logger));
  const open = (through: BoundedFetch): GitHubClient =>
    createGitHubClient(apiUrl, through, {
      beforeCall: ({ method }) => {
        // Taking a token back is asked with that token, which has a limit of its own.
        if (method !== "DELETE") limits.assertOpen();
      },
      onReply: (response, { method }) => {
        if (method === "DELETE") limits.noteLimitation(response);
        else limits.note(response);
      },
    });
  const openForTokens = (through: BoundedFetch): GitHubClient =>
    createGitHubClient(apiUrl, through, {
      beforeCall: () => limits.assertOpen(),
      onReply: (response) => limits.noteLimitation(response),
    });
  const client = open(fetch);
  const one = connectApp(configuration, client, parts);
  const connect = (through: GitHubClient): AppConnection => ({
    account: one.connection.account,
    createToken: async (request, call) => {
      await limits.admit(call?.urgency ?? "hot");
      let isDealtWith = true;
      try {
        return await createInstallationToken(through, one.app, one.appJwt, request, call?.caller);
      } catch (error) {
        // Neither a pipeline that asks without end nor an outage may use up the turns of the others with calls that came to nothing.
        isDealtWith = !(error instanceof OverBudget || isOutage(error));
        throw error;
      } finally {
        limits.ended(isDealtWith);
      }
    },
    revokeToken: (token) => revokeInstallationToken(through, token),
  });
  return {
    ...one,
    limits,
    connection: connect(client),
    connectThrough: (other) => ({ connection: connect(open(other)), client: openForTokens(other) }),
  };
}
