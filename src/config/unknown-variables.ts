import { nearestName } from "../lib/nearest-name.ts";
import type { Environment, Warning } from "./environment-reader.ts";
import { KNOWN_NAMES } from "./variables.ts";

const PREFIXES = ["SERVER_", "CACHE_", "VALKEY_", "JWT_", "OBSERVE_", "GITHUB_", "BUILDKITE_", "PROFILE_", "DEV_"];

/**
 * Warnings for variables that begin like ours, are not ours and resemble one of ours: a misspelt name would otherwise
 * leave a default in force that nobody chose. Others share our prefixes (`GITHUB_ACTIONS`), so the rest is let be.
 */
export function findUnknownVariables(environment: Environment): readonly Warning[] {
  return Object.keys(environment).flatMap((variable) => {
    const prefix = PREFIXES.find((candidate) => variable.toUpperCase().startsWith(candidate));
    if (prefix === undefined || KNOWN_NAMES.includes(variable)) return [];
    const nearest = nearestAmong(variable, prefix);
    return nearest === undefined ? [] : [{ variable, warning: `is unknown and ignored; did you mean ${nearest}?` }];
  });
}

/** Compares what follows the prefix: the prefix itself would make everything look alike. */
function nearestAmong(variable: string, prefix: string): string | undefined {
  const rests = KNOWN_NAMES.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const nearest = nearestName(variable.slice(prefix.length), rests);
  return nearest === undefined ? undefined : `${prefix}${nearest}`;
}
