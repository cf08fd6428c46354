/**
 * Secrets Manager as keysets need it. Declared here, implemented by whoever can reach it.
 *
 * Every method rejects with `UpstreamFault` for what its result does not list, and ends within a deadline of its own.
 * `secretId` is a name or an ARN.
 */
export interface SecretStore {
  /** The version that has the stage AWSCURRENT, which is asked for by name. */
  readonly getCurrent: (secretId: string, signal?: AbortSignal) => Promise<SecretLookup>;
  /**
   * Stores a version under a stage of ours and leaves AWSCURRENT where it is. `versionId` (32 to 64 characters) is the
   * ClientRequestToken: doing it twice is doing it once.
   */
  readonly putStaged: (version: StagedVersion, signal?: AbortSignal) => Promise<void>;
  /**
   * Moves AWSCURRENT from one version to another, in one step. `conflict`: it was not, or no longer, on `fromVersionId`, or the new
   * version is gone. Without `fromVersionId` it must be on no version at all.
   */
  readonly moveCurrent: (move: StageMove, signal?: AbortSignal) => Promise<"moved" | "conflict">;
}

export type SecretLookup =
  | {
      readonly kind: "found";
      readonly arn: string;
      readonly versionId: string;
      readonly createdAtEpochMs: number;
      /** The SecretString. */
      readonly value: string;
    }
  /** The secret is there and AWSCURRENT is on no version of it. */
  | { readonly kind: "no-value" }
  /** ResourceNotFoundException. */
  | { readonly kind: "not-found" }
  /** AccessDeniedException, which AWS also answers for a secret that does not exist. */
  | { readonly kind: "denied" };

export interface StagedVersion {
  readonly secretId: string;
  readonly versionId: string;
  readonly stage: string;
  readonly value: string;
}

export interface StageMove {
  readonly secretId: string;
  readonly toVersionId: string;
  readonly fromVersionId?: string;
}
