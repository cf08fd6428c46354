import { createAwsClients, type AwsClients } from "../aws/clients.ts";
import { createCredentialSource, type AwsCredentialSource, type CredentialState } from "../aws/credentials.ts";
import { loadDefaultCredentials } from "../aws/default-credentials.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../telemetry/logger.ts";

/** AWS as the service uses it: one source of credentials for all clients. Nothing is loaded or asked before it is needed. */
export interface AwsStage extends Disposable {
  readonly credentials: AwsCredentialSource;
  readonly clients: AwsClients;
}

export function createAwsStage(clock: Clock, logger: Logger): AwsStage {
  const disposables = new DisposableStack();
  const observe = (state: CredentialState): void => report(state, logger);
  const credentials = disposables.use(
    createCredentialSource({ load: loadDefaultCredentials, clock, random: Math.random, observe }),
  );
  const clients = disposables.use(createAwsClients(credentials.current, clock));
  return { credentials, clients, [Symbol.dispose]: () => disposables.dispose() };
}

function report(state: CredentialState, logger: Logger): void {
  switch (state.kind) {
    case "working":
      return logger.info("AWS credentials are refreshed again");
    case "stale": {
      const validUntil = new Date(state.validUntilEpochMs).toISOString();
      return logger.warn("AWS credentials cannot be refreshed; those held serve on", {
        validUntil,
        reason: state.fault.message,
      });
    }
    case "missing":
      return logger.error("there are no AWS credentials", { reason: state.fault.message });
  }
}
