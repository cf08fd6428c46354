import type { Failure, FailureReason } from "./failure.ts";

/** `starting`: no attempt has been decided yet. `slow`: connected, and left out until it answers in time again. */
export type ServerState = "starting" | "up" | "down" | "slow";

/**
 * What happens to the connections, for logs and metrics. States and refusals are told when they change and only then;
 * the others each time, which is rare.
 */
export type ValkeyEvent =
  | { readonly kind: "state"; readonly server: string; readonly state: ServerState; readonly failure?: Failure }
  /** The cluster no longer names it, or it has not answered for long; it may come back by another redirect. */
  | { readonly kind: "forgotten"; readonly server: string }
  | { readonly kind: "connection-lost"; readonly server: string; readonly reason: FailureReason }
  | { readonly kind: "credentials-renewed"; readonly server: string; readonly by: "auth" | "replacement" }
  | { readonly kind: "renewal-failed"; readonly server: string; readonly failure: Failure }
  | { readonly kind: "command-refused"; readonly server: string; readonly command: string; readonly failure: Failure }
  | { readonly kind: "command-accepted"; readonly server: string; readonly command: string };

/** Must not throw. */
export type ValkeyObserver = (event: ValkeyEvent) => void;
