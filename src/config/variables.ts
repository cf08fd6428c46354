import { CACHE } from "./cache.ts";
import { ENCRYPTION } from "./encryption.ts";
import { GENERAL } from "./general.ts";
import { GITHUB } from "./github.ts";
import { BUILDKITE, JWT } from "./identity.ts";
import { OBSERVE } from "./observe.ts";
import { PROFILES } from "./profiles.ts";
import { SERVER } from "./server.ts";
import { VALKEY } from "./valkey.ts";
import { fileVariableOf, type Variable } from "./variable.ts";

/** Every variable of ours, in the order in which documentation tells them. */
export const VARIABLES: readonly Variable[] = [
  SERVER,
  JWT,
  BUILDKITE,
  GITHUB,
  PROFILES,
  CACHE,
  VALKEY,
  ENCRYPTION,
  OBSERVE,
  GENERAL,
].flatMap((group) => Object.values<Variable>(group));

/** Every name that is read, the `NAME_FILE` of secrets included. */
export const KNOWN_NAMES: readonly string[] = VARIABLES.flatMap((variable) =>
  variable.secret ? [variable.name, fileVariableOf(variable)] : [variable.name],
);
