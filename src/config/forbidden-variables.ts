import type { Environment } from "./environment-reader.ts";

/**
 * The variables in `environment` with which the runtime lets code in (`BUN_OPTIONS`), opens a debugger (`BUN_INSPECT*`),
 * prints requests with their credentials (`BUN_CONFIG_VERBOSE_FETCH`), writes session keys to disk (`SSLKEYLOGFILE`) or
 * stops verifying certificates (`NODE_TLS_REJECT_UNAUTHORIZED`). An empty value counts as unset.
 *
 * This is detection: `BUN_OPTIONS` has acted before we look, and `BUN_BE_BUN` keeps us from running at all.
 */
export function findForbiddenVariables(environment: Environment): readonly string[] {
  return Object.entries(environment)
    .filter(([name, value]) => value !== undefined && value !== "" && isForbidden(name, value))
    .map(([name]) => name)
    .sort();
}

function isForbidden(name: string, value: string): boolean {
  if (name === "NODE_TLS_REJECT_UNAUTHORIZED") return value === "0" || value.toLowerCase() === "false";
  return (
    name === "BUN_OPTIONS" ||
    name.startsWith("BUN_INSPECT") ||
    name === "BUN_CONFIG_VERBOSE_FETCH" ||
    name === "SSLKEYLOGFILE"
  );
}
