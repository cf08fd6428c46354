import type { Logger } from "../telemetry/logger.ts";
import type { ValkeyEvent } from "../valkey/events.ts";

/** One log line for what happens to the connections; never one for a request. */
export function reportValkey(event: ValkeyEvent, logger: Logger): void {
  const { server } = event;
  switch (event.kind) {
    case "state":
      return reportState(event, logger);
    case "forgotten":
      return logger.info("valkey: this server is not used any more", { server });
    case "connection-lost":
      return logger.info("valkey: connection lost", { server, reason: event.reason });
    case "credentials-renewed":
      return logger.info("valkey: credentials renewed", { server, by: event.by });
    case "renewal-failed":
      return logger.warn("valkey: credentials could not be renewed", {
        server,
        reason: event.failure.reason,
        detail: event.failure.detail,
      });
    case "command-refused": {
      const { reason, detail } = event.failure;
      return logger.warn("valkey: the server refuses a command", { server, command: event.command, reason, detail });
    }
    case "command-accepted":
      return logger.info("valkey: the server accepts the command again", { server, command: event.command });
  }
}

function reportState(
  { server, state, failure }: Extract<ValkeyEvent, { readonly kind: "state" }>,
  logger: Logger,
): void {
  const why = failure === undefined ? {} : { reason: failure.reason, detail: failure.detail };
  switch (state) {
    case "starting":
      return logger.debug("valkey: connecting", { server });
    case "up":
      return logger.info("valkey: in use", { server });
    case "down":
      return logger.warn("valkey: out of use; tokens are shared again when it comes back", { server, ...why });
    case "slow":
      return logger.warn("valkey: too slow, so left out until it answers in time", { server, ...why });
  }
}
