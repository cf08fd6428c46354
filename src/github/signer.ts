/** Makes RS256 signatures with a key that may live elsewhere (KMS). Declared here, implemented by whoever holds the key. */
export interface Signer {
  /**
   * Signs `message` (not its digest) with RSASSA-PKCS1-v1_5 and SHA-256.
   * Throws `UpstreamFault` when the key's home does not answer or refuses.
   */
  readonly sign: (message: Uint8Array<ArrayBuffer>, signal?: AbortSignal) => Promise<Uint8Array>;
}
