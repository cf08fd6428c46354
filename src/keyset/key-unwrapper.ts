/**
 * KMS as keysets need it: bytes encrypted under a key that never leaves its home, with no encryption context (Tink's associated
 * data is empty for keysets). Declared here, implemented by whoever can reach KMS.
 *
 * Both reject with `UpstreamFault` when KMS refuses or does not answer, and end within a deadline of their own.
 * `kmsKeyArn` is a key or alias ARN and is handed to KMS as it is.
 */
export interface KeyUnwrapper {
  /** The result belongs to the caller, who wipes it. */
  readonly decrypt: (kmsKeyArn: string, ciphertext: Uint8Array, signal?: AbortSignal) => Promise<Uint8Array>;
  /** At most 4,096 bytes: KMS takes no more. */
  readonly encrypt: (kmsKeyArn: string, plaintext: Uint8Array, signal?: AbortSignal) => Promise<Uint8Array>;
}

/** A key in KMS, with the way to use it. */
export interface KmsAccess {
  readonly unwrapper: KeyUnwrapper;
  /** Of a key or an alias. */
  readonly kmsKeyArn: string;
}
