import { readFileSync } from "node:fs";
import { findInsecureAwsEndpoints } from "./aws-endpoints.ts";
import { readCache } from "./cache.ts";
import type { Configuration } from "./configuration.ts";
import { containerMetadataUrl } from "./container-metadata.ts";
import { findDangers } from "./dangers.ts";
import { EnvironmentReader } from "./environment-reader.ts";
import type { Environment, Problem, ReadFile, Setting, Warning } from "./environment-reader.ts";
import { readGeneral } from "./general.ts";
import { readGitHub } from "./github.ts";
import { readBuildkite, readJwt } from "./identity.ts";
import type { CheckPem } from "./key-format.ts";
import { readObserve } from "./observe.ts";
import { readProfiles } from "./profiles.ts";
import { readServer } from "./server.ts";
import { findUnknownVariables } from "./unknown-variables.ts";
import type { CheckIam } from "./valkey.ts";

/** Checks that belong to higher folders. Each gives what is wrong, without the value, or undefined. */
export interface ConfigurationChecks {
  readonly pem?: CheckPem;
  readonly jwks?: (jwks: string) => string | undefined;
  readonly iam?: CheckIam;
  /** For `NAME_FILE`; reads from disk unless given. */
  readonly readFile?: ReadFile;
}

export type ConfigurationResult =
  | {
      readonly kind: "valid";
      readonly configuration: Configuration;
      readonly warnings: readonly Warning[];
      /** What is in force, masked; optional variables that are not set are left out. */
      readonly settings: readonly Setting[];
    }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[]; readonly warnings: readonly Warning[] };

/**
 * The configuration that `environment` describes, or every problem with it at once.
 *
 * Opens and connects to nothing but the files that `NAME_FILE` variables name. Whether keys, hosts and names are real
 * is not looked at. Never throws for what the environment holds.
 */
export function readConfiguration(environment: Environment, checks: ConfigurationChecks = {}): ConfigurationResult {
  const nothingWrong = (): undefined => undefined;
  const { pem = nothingWrong, jwks = nothingWrong, iam = () => [] } = checks;
  const reader = new EnvironmentReader(environment, checks.readFile ?? ((path) => readFileSync(path, "utf8")));
  const server = readServer(reader);
  const jwt = readJwt(reader, jwks);
  const buildkite = readBuildkite(reader);
  const github = readGitHub(reader, pem);
  const profiles = readProfiles(reader);
  const cache = readCache(reader, iam);
  const observe = readObserve(reader);
  const general = readGeneral(reader);
  const problems = [...reader.problems, ...findInsecureAwsEndpoints(environment)];
  const warnings = [...reader.warnings, ...findUnknownVariables(environment)];
  if (problems.length > 0 || jwt === undefined || buildkite === undefined || github === undefined) {
    return { kind: "invalid", problems, warnings };
  }
  const metadataUrl = containerMetadataUrl(environment);
  const ecs = metadataUrl === undefined ? {} : { containerMetadataUrl: metadataUrl };
  const configuration: Configuration = { server, jwt, buildkite, github, profiles, cache, observe, ...ecs, ...general };
  return {
    kind: "valid",
    configuration,
    warnings: [...warnings, ...findDangers(configuration)],
    settings: reader.settings,
  };
}
