/** What is wrong with the options of a token source. */
export type IamCacheAuthOptionErrorCode =
  | "illegal-cache-name"
  | "illegal-cluster-name"
  | "illegal-user-id"
  | "illegal-region"
  | "illegal-serverless"
  | "missing-credentials"
  | "serverless-not-supported";

/** Options from which no token that AWS accepts could be made. Thrown at construction, never later. */
export class IamCacheAuthOptionError extends TypeError {
  readonly code: IamCacheAuthOptionErrorCode;

  constructor(code: IamCacheAuthOptionErrorCode, message: string) {
    super(`iamcacheauth: ${message}`);
    this.name = "IamCacheAuthOptionError";
    this.code = code;
  }
}

/** `credentials-unavailable`: the provider failed, see `cause`. `credentials-incomplete`: it gave no usable key pair. */
export type IamCacheAuthCredentialsErrorCode = "credentials-unavailable" | "credentials-incomplete";

/** The credential provider did not give credentials, so no token was signed. A later call asks the provider again. */
export class IamCacheAuthCredentialsError extends Error {
  readonly code: IamCacheAuthCredentialsErrorCode;

  constructor(code: IamCacheAuthCredentialsErrorCode, message: string, options?: ErrorOptions) {
    super(`iamcacheauth: ${message}`, options);
    this.name = "IamCacheAuthCredentialsError";
    this.code = code;
  }
}
