/** Everything that `doctor` can find, and what to do about it; docs/errors.md has an entry of each. */
export const REMEDIES = {
  "configuration-invalid": "set the variable to what is accepted; docs/configuration.md describes each",
  "configuration-warning": "change the variable, or know why it is as it is; docs/configuration.md describes each",

  "clock-differs": "set this machine's clock (NTP): tokens are refused when clocks differ by more than 5 seconds",

  "issuer-unavailable":
    "look at JWT_ISSUER_URL, at DNS, at HTTPS_PROXY and at what leaves this network; the address must answer 200",
  "issuer-malformed": "JWT_ISSUER_URL must be, letter by letter, what the issuer's discovery document calls itself",
  "issuer-without-keys": "the issuer publishes no RSA key for RS256: look at its key set, or set JWT_JWKS_STATIC",

  "buildkite-unavailable": "look at BUILDKITE_API_URL, at DNS, at HTTPS_PROXY and at what leaves this network",
  "buildkite-token-refused":
    "put a token that is valid now into BUILDKITE_API_TOKEN; it may have been revoked or have expired",
  "buildkite-scope-missing": "give the API token the scope read_pipelines",
  "buildkite-organization-unknown":
    "correct JWT_BUILDKITE_ORGANIZATION_SLUG, or give the API token access to that organization",
  "buildkite-malformed":
    "BUILDKITE_API_URL does not lead to Buildkite's REST API: look at it, and at proxies in between",
  "buildkite-token-too-wide": "make an API token with read_pipelines alone: more is only there to be stolen",

  "aws-credentials-missing":
    "give the task or the machine a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; look at the endpoint they come from",
  "aws-region-missing": "set AWS_REGION to the region of the cache and of the secret",

  "kms-unavailable": "look at the region in the ARN, at the VPC endpoint of KMS, and at what leaves this network",
  "kms-refused":
    "look at the ARN, that the key is RSA for SIGN_VERIFY and enabled, and that kms:Sign is allowed to this role",
  "kms-malformed": "AWS_ENDPOINT_URL_KMS does not lead to KMS: look at it",

  "github-unavailable":
    "look at GITHUB_API_URL, at DNS, at HTTPS_PROXY and at what leaves this network; at githubstatus.com; at the rate limit",
  "github-malformed": "GITHUB_API_URL does not lead to GitHub's REST API: look at it, and at proxies in between",
  "github-refused": "GITHUB_API_URL must be the REST API: https://api.github.com, or https://HOST/api/v3",
  "app-refused":
    "the private key must be one of this App's: compare App id and key; with KMS, that the alias points to the imported key; then the clock",
  "installation-not-found":
    "correct the installation id: it is the number at the end of the installation's settings URL, of this App",
  "installation-suspended": "an owner of the organization can take the suspension back in the installation's settings",
  "installation-without-account": "install the App on an organization or a user, and use that installation's id",
  "installation-of-another-account": "use the App's installation on the account that the default App is installed on",

  "policy-repository-refused":
    "let the default App's installation reach the policy repository, with contents:read; look at GITHUB_ORG_PROFILE",
  "profile-file-not-found":
    "put the file on the default branch, or correct the path in GITHUB_ORG_PROFILE (owner:repository:path)",
  "profile-file-unreadable": "the path must lead to one readable file of at most 1 MiB, no folder, link or submodule",
  "profile-file-refused": "mend the file: chinmina-bridge profiles check FILE underlines every problem",
  "profile-unavailable": "mend the profile: chinmina-bridge profiles check FILE underlines every problem",
  "profile-warning": "look at the place: chinmina-bridge profiles check FILE underlines it",
  "grant-too-wide":
    "GitHub granted something else than was asked for, so the token was given back: look at the owner in GITHUB_ORG_PROFILE",
  "permission-not-held":
    "grant the permission to the App and accept it for the installation, or let the profile ask for less",
  "repositories-out-of-reach": "let the installation reach these repositories, or correct their names in the profile",

  "keyset-absent": "chinmina-bridge keyset create makes a keyset there",
  "keyset-secret-unreadable":
    "look at CACHE_ENCRYPTION_KEYSET_URI, at the region, and that secretsmanager:GetSecretValue is allowed to this role",
  "keyset-file-unreadable": "look at the path in CACHE_ENCRYPTION_KEYSET_FILE, and that this user may read it",
  "keyset-kms-failed":
    "look at CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI, at the region in it, and that kms:Decrypt is allowed to this role",
  "keyset-unusable":
    "look at it with chinmina-bridge keyset list or tinkey, or put back the secret's version AWSPREVIOUS",

  "valkey-ca-unreadable": "let VALKEY_TLS_CA_FILE name a readable file of PEM certificates",
  "valkey-credentials": "look at where AWS credentials come from: the IAM token for the cache could not be signed",
  "valkey-dns": "correct the name in VALKEY_ADDRESS; cluster nodes' names must resolve too",
  "valkey-unreachable":
    "look at host and port in VALKEY_ADDRESS, that the server listens there, at routes and at security groups",
  "valkey-timeout": "look at security groups and at the port; a TLS server is silent to a client without (VALKEY_TLS)",
  "valkey-tls":
    "look at the certificate's authority (VALKEY_TLS_CA_FILE), its names and dates, and whether the server speaks TLS at all",
  "valkey-wrongpass":
    "look at VALKEY_USERNAME and VALKEY_PASSWORD; with IAM at user id, cache name, region, policy and clock",
  "valkey-noauth": "the server wants a password: set VALKEY_PASSWORD, or VALKEY_IAM_ENABLED",
  "valkey-loading": "the server is starting: wait, and run this again",
  "valkey-handshake": "use Valkey, or Redis 7 or later: the server does not know HELLO",
  "valkey-noperm": "give the user the access string of docs/valkey.md, with the prefix in CACHE_KEY_PREFIX",
  "valkey-readonly": "VALKEY_ADDRESS leads to a replica: use the primary's endpoint, or wait for the failover's end",
  "valkey-clusterdown": "the cluster has no primary for some keys: wait for the failover's end, or look at its nodes",
  "valkey-outofmemory": "give the server more memory, or an eviction policy such as volatile-ttl",
  "valkey-rejected": "use Valkey, or Redis 7 or later: the server does not know a command",
  "valkey-closed": "the server ends connections: look at its log, at its limit of clients, and at proxies in between",
  "valkey-slow": "look at the way to the server and at its load: a request waits for it 250 ms at most",
  "valkey-protocol": "VALKEY_ADDRESS does not lead to Valkey: look at host and port",
  "valkey-value-differs":
    "what is written cannot be read back: VALKEY_ADDRESS must lead to one primary, or to a cluster's own endpoint",

  "no-answer-in-time": "what is asked hangs: look at it by itself; the service would wait as well",
  unexpected: "this is a fault of the program: report it with this line and the output of chinmina-bridge version",
} as const;

export type ProblemCode = keyof typeof REMEDIES;
