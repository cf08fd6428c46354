import type { ServerConfiguration } from "./configuration.ts";
import { EnvironmentReader, type Environment, type Problem } from "./environment-reader.ts";
import { readListenAddress } from "./server.ts";

export type ListenAddress = Pick<ServerConfiguration, "port" | "host" | "basePath">;

/**
 * Where the service that was given `environment` listens, from `SERVER_PORT`, `SERVER_HOST` and `SERVER_BASE_PATH`
 * alone: everything else may be missing or wrong.
 */
export function findListenAddress(
  environment: Environment,
):
  | { readonly kind: "found"; readonly address: ListenAddress }
  | { readonly kind: "invalid"; readonly problem: Problem } {
  const reader = new EnvironmentReader(environment, () => "");
  const address = readListenAddress(reader);
  const problem = reader.problems[0];
  return problem === undefined ? { kind: "found", address } : { kind: "invalid", problem };
}
