/** What AWS requests are signed with, in the shape that the AWS SDK and iamcacheauth take. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Absent: they do not expire. */
  readonly expiration?: Date;
}

/** The credentials, if they can sign anything. Throws `Error`, whose message holds nothing of them. */
export function checkCredentials(credentials: AwsCredentials, nowEpochMs: number): AwsCredentials {
  const { accessKeyId, secretAccessKey, expiration } = credentials;
  if (accessKeyId === "" || secretAccessKey === "") throw new Error("they are incomplete");
  // Not `<=`: an expiration that is no date compares with nothing, and must not count as valid.
  if (expiration !== undefined && !(expiration.getTime() > nowEpochMs)) throw new Error("they have expired");
  return credentials;
}
