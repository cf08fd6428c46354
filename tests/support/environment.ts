/** The smallest environment that the service starts with. */
export const MINIMAL_ENVIRONMENT = {
  JWT_BUILDKITE_ORGANIZATION_SLUG: "acme",
  BUILDKITE_API_TOKEN: "bkua_example",
  GITHUB_APP_ID: "111",
  GITHUB_APP_INSTALLATION_ID: "222",
  GITHUB_APP_PRIVATE_KEY_ARN: "arn:aws:kms:us-east-1:123456789012:alias/chinmina",
} as const;

/** What must be set beside it for a shared cache. */
export const VALKEY_ENVIRONMENT = { CACHE_TYPE: "valkey", VALKEY_ADDRESS: "cache.example.com:6379" } as const;
