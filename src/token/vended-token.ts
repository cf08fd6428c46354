/** Source: docs.github.com, "Generating an installation access token for a GitHub App". */
const LIFETIME_SECONDS = 3600;

/**
 * A token with what only GitHub and Buildkite could tell of it. Flat and small, because thousands are held; everything else that a
 * reply shows (profile, permissions, App) is the request's own and never stored twice.
 */
export class VendedToken {
  readonly token: string;
  /** Standard base64 of the token's SHA-256: names a token in logs without giving it away. */
  readonly tokenSha256Base64: string;
  readonly expiresAtEpochSeconds: number;
  /** The pipeline's repository as an https URL; empty for organization profiles. */
  readonly repositoryUrl: string;

  /** When GitHub made it, by GitHub's clock: installation tokens live one hour. */
  get issuedAtEpochSeconds(): number {
    return this.expiresAtEpochSeconds - LIFETIME_SECONDS;
  }

  constructor(token: string, expiresAtEpochSeconds: number, repositoryUrl: string) {
    this.token = token;
    this.tokenSha256Base64 = new Bun.CryptoHasher("sha256").update(token).digest("base64");
    this.expiresAtEpochSeconds = expiresAtEpochSeconds;
    this.repositoryUrl = repositoryUrl;
  }
}
