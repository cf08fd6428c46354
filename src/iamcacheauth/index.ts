/** IAM authentication tokens for Amazon ElastiCache and MemoryDB, for any Valkey or Redis client. */
export { IamCacheAuthCredentialsError, IamCacheAuthOptionError } from "./errors.ts";
export type { IamCacheAuthCredentialsErrorCode, IamCacheAuthOptionErrorCode } from "./errors.ts";
export type { AwsCredentialProvider, AwsCredentials } from "./credentials.ts";
export { elastiCacheTokens, memoryDBTokens } from "./tokens.ts";
export type { ElastiCacheTokenOptions, MemoryDBTokenOptions, TokenOptions, TokenSource } from "./tokens.ts";
