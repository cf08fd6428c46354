import type { AppConfiguration } from "../config/configuration.ts";
import type { RateLimitObserver } from "../github/rate-limits.ts";
import type { Logger } from "../telemetry/logger.ts";

/** Logs when an App comes to a limit of GitHub's and when it is past it: a line each. */
export function reportRateLimits({ name, appId, installationId }: AppConfiguration, logger: Logger): RateLimitObserver {
  const app = { name, applicationID: appId, installationID: installationId };
  return {
    limited: ({ kind, seconds }) => logger.warn("github rate limit reached", { app, limit: kind, seconds }),
    resumed: () => logger.info("github rate limit over", { app }),
    saving: (isSaving) =>
      isSaving
        ? logger.warn("github rate limit is near: tokens are not renewed ahead of time", { app })
        : logger.info("github rate limit is far again: tokens are renewed ahead of time", { app }),
  };
}
