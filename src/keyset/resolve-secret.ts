import { KeysetFailure } from "./keyset-failure.ts";
import type { SecretLookup, SecretStore } from "./secret-store.ts";

export type PresentSecret = Extract<SecretLookup, { kind: "found" | "no-value" }>;

/** Reads one secret, under the spelling of its name that turned out to be the right one. */
export interface ResolvedSecret {
  readonly getCurrent: (signal?: AbortSignal) => Promise<PresentSecret>;
  /** What to write to: the ARN, or the right spelling while the secret has no value. Reads, if nothing has been read yet. */
  readonly resolveId: (signal?: AbortSignal) => Promise<string>;
}

/**
 * The secret by its name as written, and, when that is not found or not allowed, by the name with a leading slash: a URI loses that
 * slash, and policies may allow the one name only. The answer is kept: later reads use the ARN.
 *
 * Throws `KeysetFailure` (`keyset-unavailable`, step secret) that tells what came of each spelling.
 */
export function resolveSecret(store: SecretStore, configuredId: string): ResolvedSecret {
  let found: string | undefined;
  const getCurrent = async (signal?: AbortSignal): Promise<PresentSecret> => {
    const outcomes: string[] = [];
    for (const secretId of found === undefined ? spellings(configuredId) : [found]) {
      const lookup = await lookUp(store, secretId, signal);
      if (lookup.kind === "found" || lookup.kind === "no-value") {
        found = lookup.kind === "found" ? lookup.arn : secretId;
        return lookup;
      }
      outcomes.push(`${secretId}: ${lookup.kind === "denied" ? "access denied" : "not found"}`);
    }
    throw new KeysetFailure("keyset-unavailable", "secret", outcomes.join("; "));
  };
  return {
    getCurrent,
    resolveId: async (signal) => {
      if (found === undefined) await getCurrent(signal);
      return found ?? configuredId;
    },
  };
}

async function lookUp(store: SecretStore, secretId: string, signal?: AbortSignal): Promise<SecretLookup> {
  try {
    return await store.getCurrent(secretId, signal);
  } catch (cause) {
    throw new KeysetFailure("keyset-unavailable", "secret", `reading ${secretId}`, { cause });
  }
}

function spellings(secretId: string): string[] {
  return secretId.startsWith("/") || secretId.startsWith("arn:") ? [secretId] : [secretId, `/${secretId}`];
}
