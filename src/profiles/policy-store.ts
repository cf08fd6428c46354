import type { Clock } from "../lib/clock.ts";
import type { CompiledPolicy } from "./compile.ts";
import type { PolicyGeneration } from "./policy.ts";

/** The policy as a request finds it. */
export type PolicyReading =
  | { readonly kind: "in-force"; readonly generation: PolicyGeneration }
  /** Nobody could read the file for longer than is allowed: an old policy must not rule for ever. */
  | { readonly kind: "too-old"; readonly ageMs: number }
  | { readonly kind: "none" };

/** A policy in force with the ETag of the file it was compiled from, which is of no use with any other. */
export interface PolicyInForce {
  readonly policy: CompiledPolicy;
  readonly etag?: string;
}

/** Holds the one generation in force. A request reads it once; replacing it takes effect between requests. */
export interface PolicyStore {
  readonly read: () => PolicyReading;
  readonly inForce: () => PolicyInForce | undefined;
  /** Puts a policy in force, or confirms the one in force: either is a successful refresh. */
  readonly confirm: (policy: PolicyInForce) => void;
  /** Since the last successful refresh; undefined before the first. */
  readonly ageMs: () => number | undefined;
}

/** `maxStaleMs` 0: no limit. */
export function createPolicyStore(options: { readonly clock: Clock; readonly maxStaleMs: number }): PolicyStore {
  const { clock, maxStaleMs } = options;
  let inForce: PolicyInForce | undefined;
  let confirmedAtMs = 0;
  const ageMs = (): number => clock.monotonicMs() - confirmedAtMs;
  return {
    read: () => {
      if (inForce === undefined) return { kind: "none" };
      const age = ageMs();
      if (maxStaleMs > 0 && age > maxStaleMs) return { kind: "too-old", ageMs: age };
      return { kind: "in-force", generation: inForce.policy.generation };
    },
    inForce: () => inForce,
    confirm: (policy) => {
      inForce = policy;
      confirmedAtMs = clock.monotonicMs();
    },
    ageMs: () => (inForce === undefined ? undefined : ageMs()),
  };
}
