import type { Signer } from "./signer.ts";

/** One GitHub App on one installation: a value that is handed along, never a constant that a module knows. */
export interface GitHubApp {
  /** The name that profiles choose it by; `default` for the default App. */
  readonly name: string;
  readonly appId: number;
  readonly installationId: number;
  readonly signer: Signer;
}
