import { elastiCacheTokens } from "../../../src/iamcacheauth/index.ts";
import type { CredentialSource } from "../../../src/valkey/credential-source.ts";
import type { CertificateAuthority } from "./certificates.ts";
import { type MemoryServer, type MemoryServerOptions, startMemoryServer } from "./memory-server.ts";
import { rejectToken, type TokenExpectations } from "./sigv4-verifier.ts";

const KEYS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };

export const IAM_USER = "my-iam-user";

/** A TLS server that lets in whoever has a valid IAM token for its cache, and cuts connections as AWS does. */
export async function startIamServer(
  authority: CertificateAuthority,
  options: MemoryServerOptions = {},
  changes: Partial<TokenExpectations> = {},
): Promise<MemoryServer> {
  const cache = { service: "elasticache", region: "us-east-1", cacheName: "my-cache", serverless: false } as const;
  const expected: TokenExpectations = { ...KEYS, ...cache, ...changes };
  const tls = authority.issue(`iam-${crypto.randomUUID()}`, ["localhost"]);
  return startMemoryServer({
    tls,
    authenticate: (user, password) => rejectToken(user, password, expected),
    ...options,
  });
}

/** Credentials with a new token for each connection; `clock` is the one that they are signed by. */
export function iamCredentials(clock?: () => Date): CredentialSource {
  const credentials = (): Promise<typeof KEYS> => Promise.resolve(KEYS);
  const tokens = elastiCacheTokens({
    userId: IAM_USER,
    cacheName: "my-cache",
    region: "us-east-1",
    credentials,
    clock,
  });
  return async () => ({ username: IAM_USER, password: await tokens.token() });
}
