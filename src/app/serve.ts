import { describeConfiguration } from "../config/describe-configuration.ts";
import type { Environment } from "../config/environment-reader.ts";
import { readConfiguration } from "../config/read-configuration.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import { configurationChecks } from "./configuration-checks.ts";
import { startService, type RunningService } from "./service.ts";
import { untilTerminated } from "./signals.ts";

/**
 * Serves until a signal ends it. Resolves with the exit status: 0 after an orderly stop, 1 when the configuration is wrong or the service
 * cannot start, with one line for each problem handed to `complain`.
 */
export async function serve(environment: Environment, complain: (line: string) => void): Promise<number> {
  const result = readConfiguration(environment, configurationChecks);
  if (result.kind === "invalid") {
    for (const { variable, problem, accepted } of result.problems)
      complain(`${variable} ${problem}; accepted: ${accepted}`);
    return 1;
  }
  let service: RunningService;
  try {
    service = startService(result.configuration);
  } catch (error) {
    complain(`the service did not start: ${describeCauses(error)}`);
    return 1;
  }
  for (const { variable, warning } of result.warnings) service.logger.warn(`${variable} ${warning}`);
  service.logger.info("listening", { port: service.port, ...describeConfiguration(result) });
  return untilTerminated(service, result.configuration.server);
}
