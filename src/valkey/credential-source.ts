/** What a connection authenticates with. A password without a user name of its own belongs to `default`. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * Credentials for one connection, asked for again for each: an IAM token is good for minutes. Called without a signal
 * and given up on after a few seconds, so it may be slow but should not pile up work.
 */
export type CredentialSource = () => Promise<Credentials>;
