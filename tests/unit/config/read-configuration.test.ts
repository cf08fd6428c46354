import { describe, expect, test } from "bun:test";
import type { Configuration } from "../../../src/config/configuration.ts";
import type { Environment } from "../../../src/config/environment-reader.ts";
import { readConfiguration, type ConfigurationResult } from "../../../src/config/read-configuration.ts";
import { VARIABLES } from "../../../src/config/variables.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { MINIMAL_ENVIRONMENT, VALKEY_ENVIRONMENT } from "../../support/environment.ts";

const KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const IAM = {
  ...VALKEY_ENVIRONMENT,
  VALKEY_IAM_ENABLED: "true",
  VALKEY_USERNAME: "bridge",
  VALKEY_IAM_CACHE_NAME: "tokens",
};

describe("readConfiguration()", () => {
  test("gives every documented default for the smallest environment", () => {
    expect(valid({})).toEqual({
      server: {
        port: 8080,
        basePath: "",
        shutdownTimeoutMs: 25_000,
        drainDelayMs: 0,
        maxInFlight: 1000,
        trustedProxyHops: 0,
        outgoingMaxIdleConnections: 100,
        outgoingMaxConnectionsPerHost: 20,
      },
      jwt: { organizationSlug: "acme", audience: "app-token-issuer", issuerUrl: "https://agent.buildkite.com" },
      buildkite: {
        apiToken: new Secret("bkua_example"),
        apiUrl: new URL("https://api.buildkite.com"),
        callsPerMinutePerPipeline: 60,
      },
      github: {
        apiUrl: new URL("https://api.github.com"),
        webUrl: new URL("https://github.com"),
        defaultApp: {
          name: "default",
          appId: 111,
          installationId: 222,
          key: { kind: "privateKeyArn", arn: MINIMAL_ENVIRONMENT.GITHUB_APP_PRIVATE_KEY_ARN },
        },
        otherApps: [],
      },
      profiles: { source: { kind: "none" }, maxStaleMs: 86_400_000, allowSelfWrite: false },
      cache: { tokenTtlMs: 2_700_000, maxStaleMs: 3_300_000 },
      observe: {
        enabled: false,
        exporter: "grpc",
        metricsEnabled: true,
        serviceName: "chinmina-bridge",
        traceBatchTimeoutMs: 20_000,
        metricReadIntervalMs: 60_000,
        httpTransportEnabled: true,
        connectionTraceEnabled: true,
        sdkLogLevel: "info",
        sampler: { parentBased: true, ratio: 1 },
      },
      discloseAppIdentifiers: false,
      logging: { level: "info", format: "json" },
    });
  });

  test("gives every documented default for the smallest environment with Valkey", () => {
    expect(valid(VALKEY_ENVIRONMENT).cache.valkey).toEqual({
      host: "cache.example.com",
      port: 6379,
      tls: { enabled: true },
      authentication: { kind: "none" },
      keyPrefix: "",
      localTtlMs: 300_000,
    });
  });

  type Read = (configuration: Configuration) => unknown;
  const accepted: readonly [name: string, value: string, read: Read, expected: unknown, beside?: Environment][] = [
    ["SERVER_PORT", "0", (c) => c.server.port, 0],
    ["SERVER_PORT", "65535", (c) => c.server.port, 65_535],
    ["SERVER_HOST", "127.0.0.1", (c) => c.server.host, "127.0.0.1"],
    ["SERVER_HOST", "::1", (c) => c.server.host, "::1"],
    ["SERVER_HOST", "[::1]", (c) => c.server.host, "::1"],
    ["SERVER_BASE_PATH", "api", (c) => c.server.basePath, "/api"],
    ["SERVER_BASE_PATH", "/api/v1//", (c) => c.server.basePath, "/api/v1"],
    ["SERVER_BASE_PATH", "/", (c) => c.server.basePath, ""],
    ["SERVER_SHUTDOWN_TIMEOUT_SECS", "0", (c) => c.server.shutdownTimeoutMs, 0],
    ["SERVER_SHUTDOWN_TIMEOUT_SECS", "110", (c) => c.server.shutdownTimeoutMs, 110_000],
    ["SERVER_DRAIN_DELAY_SECS", "5", (c) => c.server.drainDelayMs, 5000],
    ["SERVER_MAX_IN_FLIGHT", "1", (c) => c.server.maxInFlight, 1],
    ["SERVER_TRUSTED_PROXY_HOPS", "2", (c) => c.server.trustedProxyHops, 2],
    ["SERVER_OUTGOING_MAX_IDLE_CONNS", "7", (c) => c.server.outgoingMaxIdleConnections, 7],
    ["SERVER_OUTGOING_MAX_CONNS_PER_HOST", "7", (c) => c.server.outgoingMaxConnectionsPerHost, 7],
    ["SERVER_OUTGOING_MAX_CONNS_PER_HOST", "0", (c) => c.server.outgoingMaxConnectionsPerHost, Infinity],
    ["CALLER_UPSTREAM_CALLS_PER_MINUTE", "600", (c) => c.buildkite.callsPerMinutePerPipeline, 600],
    ["JWT_BUILDKITE_ORGANIZATION_SLUG", "other", (c) => c.jwt.organizationSlug, "other"],
    ["JWT_BUILDKITE_ORGANIZATION_ID", "0184-ab", (c) => c.jwt.organizationId, "0184-ab"],
    ["JWT_AUDIENCE", "chinmina:acme", (c) => c.jwt.audience, "chinmina:acme"],
    ["JWT_ISSUER_URL", "https://issuer.example/a/", (c) => c.jwt.issuerUrl, "https://issuer.example/a/"],
    ["JWT_ISSUER_URL", "http://127.0.0.1:1", (c) => c.jwt.issuerUrl, "http://127.0.0.1:1"],
    ["JWT_JWKS_STATIC", '{"keys":[]}', (c) => c.jwt.staticJwks?.reveal(), '{"keys":[]}'],
    ["BUILDKITE_API_TOKEN", "bkua_other", (c) => c.buildkite.apiToken.reveal(), "bkua_other"],
    ["BUILDKITE_API_URL", "http://[::1]:9/bk/", (c) => c.buildkite.apiUrl.href, "http://[::1]:9/bk"],
    ["GITHUB_APP_ID", "9007199254740991", (c) => c.github.defaultApp.appId, Number.MAX_SAFE_INTEGER],
    ["GITHUB_APP_INSTALLATION_ID", "1", (c) => c.github.defaultApp.installationId, 1],
    ["GITHUB_APP_PRIVATE_KEY", "a\\nb", (c) => pemOf(c), "a\nb", { GITHUB_APP_PRIVATE_KEY_ARN: "" }],
    ["GITHUB_APP_PRIVATE_KEY", "a\r\nb", (c) => pemOf(c), "a\nb", { GITHUB_APP_PRIVATE_KEY_ARN: undefined }],
    [
      "GITHUB_APP_PRIVATE_KEY_ARN",
      KEY_ARN,
      (c) => c.github.defaultApp.key,
      { kind: "privateKeyArn", arn: KEY_ARN },
      { GITHUB_APP_PRIVATE_KEY: "loses" },
    ],
    ["GITHUB_APPS", "[]", (c) => c.github.otherApps, []],
    ["GITHUB_APPS", " \n", (c) => c.github.otherApps, []],
    ["GITHUB_API_URL", "https://ghe.example/api/v3/", (c) => c.github.apiUrl.href, "https://ghe.example/api/v3"],
    ["GITHUB_API_URL", "https://ghe.example:8443/api/v3", (c) => c.github.webUrl.origin, "https://ghe.example:8443"],
    ["GITHUB_API_URL", "https://api.acme.ghe.com", (c) => c.github.webUrl.origin, "https://acme.ghe.com"],
    ["GITHUB_API_URL", "https://api.acme.ghe.com.evil.example", (c) => c.github.webUrl.origin, "https://github.com"],
    ["GITHUB_API_URL", "http://localhost:1", (c) => c.github.webUrl.origin, "https://github.com"],
    ["GITHUB_URL", "https://git.example/", (c) => c.github.webUrl.href, "https://git.example/"],
    ["GITHUB_URL", "http://localhost:3000", (c) => c.github.webUrl.host, "localhost:3000"],
    [
      "GITHUB_ORG_PROFILE",
      "acme:policy:dir/p:q.yaml",
      (c) => c.profiles.source,
      { kind: "github", owner: "acme", repository: "policy", path: "dir/p:q.yaml" },
    ],
    [
      "GITHUB_ORG_PROFILE",
      "acme:.github:/p.yaml",
      (c) => c.profiles.source,
      { kind: "github", owner: "acme", repository: ".github", path: "p.yaml" },
    ],
    ["PROFILE_FILE", "p.yaml", (c) => c.profiles.source, { kind: "file", path: "p.yaml" }],
    ["PROFILE_MAX_STALE_SECS", "0", (c) => c.profiles.maxStaleMs, 0],
    ["PROFILE_ALLOW_SELF_WRITE", "T", (c) => c.profiles.allowSelfWrite, true],
    ["CACHE_TYPE", "memory", (c) => c.cache.valkey, undefined],
    ["CACHE_TOKEN_TTL_SECS", "60", (c) => c.cache.tokenTtlMs, 60_000],
    ["CACHE_TOKEN_TTL_SECS", "3300", (c) => c.cache.tokenTtlMs, 3_300_000],
    ["CACHE_MAX_STALE_SECS", "0", (c) => c.cache.maxStaleMs, 0],
    ["CACHE_KEY_PREFIX", "a:", (c) => c.cache.valkey?.keyPrefix, "a:", VALKEY_ENVIRONMENT],
    ["CACHE_LOCAL_TTL_SECS", "1", (c) => c.cache.valkey?.localTtlMs, 1000, VALKEY_ENVIRONMENT],
    ["VALKEY_ADDRESS", "[::1]:1", (c) => c.cache.valkey?.host, "::1", { CACHE_TYPE: "valkey" }],
    ["VALKEY_TLS", "0", (c) => c.cache.valkey?.tls, { enabled: false }, VALKEY_ENVIRONMENT],
    [
      "VALKEY_TLS_CA_FILE",
      "ca.pem",
      (c) => c.cache.valkey?.tls,
      { enabled: true, caFile: "ca.pem" },
      VALKEY_ENVIRONMENT,
    ],
    [
      "VALKEY_USERNAME",
      "u",
      (c) => c.cache.valkey?.authentication,
      { kind: "password", username: "u", password: new Secret("p q") },
      { ...VALKEY_ENVIRONMENT, VALKEY_PASSWORD: "p q" },
    ],
    [
      "VALKEY_PASSWORD",
      "p",
      (c) => c.cache.valkey?.authentication,
      { kind: "password", password: new Secret("p") },
      VALKEY_ENVIRONMENT,
    ],
    ["VALKEY_IAM_ENABLED", "1", (c) => c.cache.valkey?.authentication.kind, "iam", IAM],
    [
      "VALKEY_IAM_SERVERLESS",
      "true",
      (c) => c.cache.valkey?.authentication,
      { kind: "iam", username: "bridge", cacheName: "tokens", service: "elasticache", serverless: true },
      IAM,
    ],
    [
      "VALKEY_IAM_SERVICE",
      "memorydb",
      (c) => c.cache.valkey?.authentication,
      { kind: "iam", username: "bridge", cacheName: "tokens", service: "memorydb", serverless: false },
      IAM,
    ],
    ["VALKEY_IAM_CACHE_NAME", "Other", (c) => iamOf(c)?.cacheName, "Other", IAM],
    [
      "CACHE_ENCRYPTION_KEYSET_URI",
      "aws-secretsmanager:///chinmina/keyset",
      (c) => c.cache.valkey?.keyset,
      { kind: "secrets-manager", secretId: "/chinmina/keyset", kmsKeyArn: KEY_ARN },
      {
        ...VALKEY_ENVIRONMENT,
        CACHE_ENCRYPTION_ENABLED: "true",
        CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: `aws-kms://${KEY_ARN}`,
      },
    ],
    [
      "CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI",
      `aws-kms://${KEY_ARN}`,
      (c) => c.cache.valkey?.keyset,
      {
        kind: "secrets-manager",
        secretId: "arn:aws:secretsmanager:us-east-1:123456789012:secret:k-AbCdEf",
        kmsKeyArn: KEY_ARN,
      },
      {
        ...VALKEY_ENVIRONMENT,
        CACHE_ENCRYPTION_ENABLED: "true",
        CACHE_ENCRYPTION_KEYSET_URI:
          "aws-secretsmanager://arn:aws:secretsmanager:us-east-1:123456789012:secret:k-AbCdEf",
      },
    ],
    [
      "CACHE_ENCRYPTION_KEYSET_FILE",
      "k.json",
      (c) => c.cache.valkey?.keyset,
      { kind: "file", path: "k.json" },
      { ...VALKEY_ENVIRONMENT, CACHE_ENCRYPTION_ENABLED: "true" },
    ],
    [
      "CACHE_ENCRYPTION_ENABLED",
      "false",
      (c) => c.cache.valkey?.keyset,
      undefined,
      { ...VALKEY_ENVIRONMENT, CACHE_ENCRYPTION_KEYSET_FILE: "k.json" },
    ],
    ["OBSERVE_ENABLED", "TRUE", (c) => c.observe.enabled, true],
    ["OBSERVE_TYPE", "stdout", (c) => c.observe.exporter, "stdout"],
    ["OBSERVE_METRICS_ENABLED", "F", (c) => c.observe.metricsEnabled, false],
    ["OBSERVE_SERVICE_NAME", "bridge", (c) => c.observe.serviceName, "bridge"],
    ["OBSERVE_TRACE_BATCH_TIMEOUT_SECS", "1", (c) => c.observe.traceBatchTimeoutMs, 1000],
    ["OBSERVE_METRIC_READ_INTERVAL_SECS", "1", (c) => c.observe.metricReadIntervalMs, 1000],
    ["OBSERVE_HTTP_TRANSPORT_ENABLED", "false", (c) => c.observe.httpTransportEnabled, false],
    ["OBSERVE_CONNECTION_TRACE_ENABLED", "false", (c) => c.observe.connectionTraceEnabled, false],
    ["OBSERVE_OTEL_LOG_LEVEL", "warn", (c) => c.observe.sdkLogLevel, "warn"],
    ["OBSERVE_OTEL_LOG_LEVEL", "none", (c) => c.observe.sdkLogLevel, "off"],
    ["OTEL_TRACES_SAMPLER", "always_off", (c) => c.observe.sampler, { parentBased: false, ratio: 0 }],
    ["OTEL_TRACES_SAMPLER", "parentbased_traceidratio", (c) => c.observe.sampler, { parentBased: true, ratio: 1 }],
    [
      "OTEL_TRACES_SAMPLER_ARG",
      "0.25",
      (c) => c.observe.sampler,
      { parentBased: false, ratio: 0.25 },
      { OTEL_TRACES_SAMPLER: "traceidratio" },
    ],
    [
      "OBSERVE_PYROSCOPE_ENABLED",
      "true",
      (c) => c.observe.pyroscope,
      { serverAddress: new URL("http://localhost:4040") },
      { OBSERVE_PYROSCOPE_SERVER_ADDRESS: "http://localhost:4040" },
    ],
    ["OBSERVE_PYROSCOPE_SERVER_ADDRESS", "https://p.example", (c) => c.observe.pyroscope, undefined],
    ...(
      [
        ["OBSERVE_PYROSCOPE_BASIC_AUTH_USER", "u", { basicAuthUser: "u" }],
        ["OBSERVE_PYROSCOPE_BASIC_AUTH_PASSWORD", "p", { basicAuthPassword: new Secret("p") }],
        ["OBSERVE_PYROSCOPE_EXPERIMENT", "e", { experiment: "e" }],
      ] as const
    ).map(([name, value, field]): [string, string, Read, unknown, Environment] => [
      name,
      value,
      (c) => c.observe.pyroscope,
      { serverAddress: new URL("https://p.example"), ...field },
      { OBSERVE_PYROSCOPE_ENABLED: "true", OBSERVE_PYROSCOPE_SERVER_ADDRESS: "https://p.example" },
    ]),
    ["DEV_DISCLOSE_APP_IDENTIFIERS", "true", (c) => c.discloseAppIdentifiers, true],
    ["LOG_LEVEL", "WARN", (c) => c.logging, { level: "warn", format: "json" }],
    ["LOG_LEVEL", "error", (c) => c.logging, { level: "error", format: "development" }, { ENV: "development" }],
    ["ENV", "development", (c) => c.logging, { level: "debug", format: "development" }],
    ["ENV", "production", (c) => c.logging, { level: "info", format: "json" }],
  ];

  test.each(accepted)("takes %s=%j", (name, value, valueOf, expected, beside = {}) => {
    expect(valueOf(valid({ ...beside, [name]: value }))).toEqual(expected);
  });

  test.each([
    ["VALKEY_PASSWORD", "p q", (c: Configuration) => passwordOf(c)],
    ["BUILDKITE_API_TOKEN", "bkua_1", (c: Configuration) => c.buildkite.apiToken],
    ["OBSERVE_PYROSCOPE_BASIC_AUTH_PASSWORD", "p q", (c: Configuration) => c.observe.pyroscope?.basicAuthPassword],
  ])("hands on the value of %s unchanged, and out of sight", (name, value, secretOf) => {
    const beside = { OBSERVE_PYROSCOPE_ENABLED: "1", OBSERVE_PYROSCOPE_SERVER_ADDRESS: "https://p.example" };
    const secret = secretOf(valid({ ...VALKEY_ENVIRONMENT, ...beside, [name]: value }));
    expect([secret?.reveal(), JSON.stringify(secret)]).toEqual([value, '"[redacted]"']);
  });

  test("has an accepted value in the table above for every variable there is", () => {
    const covered = new Set(accepted.map(([name]) => name));
    expect(VARIABLES.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });

  test("counts an empty value as unset, for every variable", () => {
    const empty = Object.fromEntries(VARIABLES.map(({ name }) => [name, ""]));
    expect(valid({ ...empty, ...MINIMAL_ENVIRONMENT })).toEqual(valid({}));
  });

  const refusedValues: readonly [name: string, value: string, problem: RegExp, beside?: Environment][] = [
    ["SERVER_PORT", "65536", /out of range/],
    ["SERVER_PORT", "-1", /not a whole number/],
    ["SERVER_PORT", "+80", /not a whole number/],
    ["SERVER_PORT", " 80", /not a whole number/],
    ["SERVER_PORT", "8e3", /not a whole number/],
    ["SERVER_PORT", "0x50", /not a whole number/],
    ["SERVER_PORT", "80.0", /not a whole number/],
    ["SERVER_PORT", "٨٠", /not a whole number/],
    ["SERVER_HOST", "a b", /no host name/],
    ["SERVER_HOST", "host/path", /no host name/],
    ["SERVER_HOST", ":::", /no host name/],
    ["SERVER_BASE_PATH", "//api", /empty segment/],
    ["SERVER_BASE_PATH", "/a//b", /empty segment/],
    ["SERVER_BASE_PATH", "/a/../b", /segment/],
    ["SERVER_BASE_PATH", "/a?b", /does not belong/],
    ["SERVER_BASE_PATH", "/a%2fb", /does not belong/],
    ["SERVER_SHUTDOWN_TIMEOUT_SECS", "25s", /not a whole number/],
    ["SERVER_DRAIN_DELAY_SECS", "1.5", /not a whole number/],
    ["SERVER_MAX_IN_FLIGHT", "0", /out of range/],
    ["SERVER_TRUSTED_PROXY_HOPS", "all", /not a whole number/],
    ["SERVER_OUTGOING_MAX_IDLE_CONNS", "-1", /not a whole number/],
    ["SERVER_OUTGOING_MAX_CONNS_PER_HOST", "many", /not a whole number/],
    ["CALLER_UPSTREAM_CALLS_PER_MINUTE", "0", /out of range/],
    ["JWT_BUILDKITE_ORGANIZATION_SLUG", "", /required/],
    ["JWT_BUILDKITE_ORGANIZATION_SLUG", "a/b", /slash/],
    ["JWT_BUILDKITE_ORGANIZATION_ID", "a b", /white space/],
    ["JWT_AUDIENCE", "a\nb", /control character/],
    ["JWT_ISSUER_URL", "http://issuer.example", /is http/],
    ["JWT_ISSUER_URL", "agent.buildkite.com", /not an absolute/],
    ["JWT_ISSUER_URL", "https://issuer.example?x", /query/],
    ["JWT_JWKS_STATIC", "bad-jwks", /is broken/],
    ["BUILDKITE_API_TOKEN", "", /required/],
    ["BUILDKITE_API_TOKEN", "token\n", /white space/],
    ["BUILDKITE_API_URL", "http://127.example.com", /is http/],
    ["BUILDKITE_API_URL", "https://u:p@example.com", /user or a password/],
    ["BUILDKITE_API_URL", "file:///etc/passwd", /not an absolute/],
    ["GITHUB_APP_ID", "", /required/],
    ["GITHUB_APP_ID", "0", /no positive number/],
    ["GITHUB_APP_ID", "9007199254740993", /no positive number/],
    ["GITHUB_APP_INSTALLATION_ID", "abc", /no positive number/],
    ["GITHUB_APP_PRIVATE_KEY", "bad-pem", /is broken/, { GITHUB_APP_PRIVATE_KEY_ARN: "" }],
    ["GITHUB_APP_PRIVATE_KEY_ARN", "", /required/],
    ["GITHUB_APP_PRIVATE_KEY_ARN", "alias/chinmina", /not the ARN/],
    ["GITHUB_APP_PRIVATE_KEY_ARN", `${KEY_ARN}\n`, /not the ARN/],
    ["GITHUB_APPS", "{}", /not an array/],
    ["GITHUB_API_URL", "http://api.github.com", /is http/],
    ["GITHUB_API_URL", "https://api.github.com#x", /fragment/],
    ["GITHUB_URL", "https://github.com/acme", /path/],
    ["GITHUB_ORG_PROFILE", "acme:policy", /owner, a repository and a path/],
    ["GITHUB_ORG_PROFILE", "acme::p.yaml", /owner, a repository and a path/],
    ["GITHUB_ORG_PROFILE", "acme:policy:", /owner, a repository and a path/],
    ["GITHUB_ORG_PROFILE", "acme:policy:a/../b", /segment/],
    ["GITHUB_ORG_PROFILE", "acme:..:a", /no repository/],
    ["PROFILE_FILE", "p.yaml", /GITHUB_ORG_PROFILE is too/, { GITHUB_ORG_PROFILE: "a:b:c" }],
    ["PROFILE_MAX_STALE_SECS", "never", /not a whole number/],
    ["PROFILE_ALLOW_SELF_WRITE", "yes", /neither true nor false/],
    ["CACHE_TYPE", "redis", /none of the words/],
    ["CACHE_TYPE", "Valkey", /none of the words/],
    ["CACHE_TOKEN_TTL_SECS", "59", /out of range/],
    ["CACHE_TOKEN_TTL_SECS", "3301", /out of range/],
    ["CACHE_MAX_STALE_SECS", "-1", /not a whole number/],
    ["CACHE_KEY_PREFIX", "a\u0000", /control character/],
    ["CACHE_LOCAL_TTL_SECS", "0", /out of range/],
    ["VALKEY_ADDRESS", "", /required with CACHE_TYPE/, { CACHE_TYPE: "valkey" }],
    ["VALKEY_ADDRESS", "cache.example.com", /not a host and a port/, { CACHE_TYPE: "valkey" }],
    ["VALKEY_ADDRESS", "rediss://cache.example.com:6379", /not a host and a port/, { CACHE_TYPE: "valkey" }],
    ["VALKEY_ADDRESS", "::1:6379", /not a host and a port/, { CACHE_TYPE: "valkey" }],
    ["VALKEY_ADDRESS", "cache:65536", /not a host and a port/],
    ["VALKEY_TLS", "on", /neither true nor false/],
    ["VALKEY_TLS_CA_FILE", "a\tb", /control character/],
    ["VALKEY_USERNAME", "u", /without VALKEY_PASSWORD/, VALKEY_ENVIRONMENT],
    ["VALKEY_USERNAME", "", /required with VALKEY_IAM_ENABLED/, IAM],
    ["VALKEY_USERNAME", "bad-name", /is broken/, IAM],
    ["VALKEY_PASSWORD", "p", /VALKEY_IAM_ENABLED is too/, IAM],
    ["VALKEY_PASSWORD", "p\n", /control character/, VALKEY_ENVIRONMENT],
    ["VALKEY_IAM_ENABLED", "on", /neither true nor false/],
    ["VALKEY_IAM_CACHE_NAME", "", /required with VALKEY_IAM_ENABLED/, IAM],
    ["VALKEY_IAM_CACHE_NAME", "a b", /white space/, IAM],
    ["VALKEY_IAM_SERVERLESS", "true", /memorydb/, { ...IAM, VALKEY_IAM_SERVICE: "memorydb" }],
    ["VALKEY_IAM_SERVICE", "redis", /none of the words/],
    ["CACHE_ENCRYPTION_ENABLED", "true", /CACHE_TYPE is memory/, { CACHE_ENCRYPTION_KEYSET_FILE: "k" }],
    [
      "CACHE_ENCRYPTION_KEYSET_URI",
      "",
      /required with CACHE_ENCRYPTION_ENABLED/,
      { ...VALKEY_ENVIRONMENT, CACHE_ENCRYPTION_ENABLED: "1" },
    ],
    [
      "CACHE_ENCRYPTION_KEYSET_URI",
      "",
      /required with CACHE_ENCRYPTION_KMS/,
      {
        ...VALKEY_ENVIRONMENT,
        CACHE_ENCRYPTION_ENABLED: "1",
        CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: `aws-kms://${KEY_ARN}`,
      },
    ],
    ["CACHE_ENCRYPTION_KEYSET_URI", "/chinmina/keyset", /no aws-secretsmanager/],
    [
      "CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI",
      "",
      /required with CACHE_ENCRYPTION_KEYSET_URI/,
      { ...VALKEY_ENVIRONMENT, CACHE_ENCRYPTION_ENABLED: "1", CACHE_ENCRYPTION_KEYSET_URI: "aws-secretsmanager://k" },
    ],
    ["CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI", KEY_ARN, /no aws-kms/],
    ["CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI", "aws-kms://alias/x", /no aws-kms/],
    [
      "CACHE_ENCRYPTION_KEYSET_FILE",
      "k.json",
      /another source/,
      { ...VALKEY_ENVIRONMENT, CACHE_ENCRYPTION_ENABLED: "1", CACHE_ENCRYPTION_KEYSET_URI: "aws-secretsmanager://k" },
    ],
    ["OBSERVE_ENABLED", "yes", /neither true nor false/],
    ["OBSERVE_TYPE", "otlp", /none of the words/],
    ["OBSERVE_METRICS_ENABLED", "yes", /neither true nor false/],
    ["OBSERVE_SERVICE_NAME", "a\n", /control character/],
    ["OBSERVE_TRACE_BATCH_TIMEOUT_SECS", "0", /out of range/],
    ["OBSERVE_METRIC_READ_INTERVAL_SECS", "0", /out of range/],
    ["OTEL_TRACES_SAMPLER", "jaeger_remote", /none of the words/],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5", /not a number from 0 to 1/],
    ["OBSERVE_HTTP_TRANSPORT_ENABLED", "yes", /neither true nor false/],
    ["OBSERVE_CONNECTION_TRACE_ENABLED", "yes", /neither true nor false/],
    ["OBSERVE_PYROSCOPE_ENABLED", "yes", /neither true nor false/],
    ["OBSERVE_PYROSCOPE_SERVER_ADDRESS", "", /required with/, { OBSERVE_PYROSCOPE_ENABLED: "true" }],
    ["OBSERVE_PYROSCOPE_SERVER_ADDRESS", "http://pyroscope:4040", /is http/],
    ["OBSERVE_PYROSCOPE_BASIC_AUTH_USER", "a\n", /control character/],
    ["OBSERVE_PYROSCOPE_BASIC_AUTH_PASSWORD", "a\n", /control character/],
    ["OBSERVE_PYROSCOPE_EXPERIMENT", "a\n", /control character/],
    ["DEV_DISCLOSE_APP_IDENTIFIERS", "yes", /neither true nor false/],
    ["LOG_LEVEL", "audit", /not a log level/],
    ["ENV", "a\n", /control character/],
    ["AWS_ENDPOINT_URL_KMS", "http://kms.example", /is http/],
    ["AWS_ENDPOINT_URL", "kms", /not a URL/],
    ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.example.com/", /is http/],
  ];

  test.each(refusedValues)("refuses %s=%j", (name, value, problem, beside = {}) => {
    const result = read({ ...beside, [name]: value });
    const problems = result.kind === "invalid" ? result.problems : [];
    expect(problems.map(({ variable }) => variable)).toEqual([name]);
    expect(problems[0]?.problem).toMatch(problem);
    expect(problems[0]?.accepted).not.toBe("");
  });

  test("has a refused value in the table above for every variable that can be wrong", () => {
    const covered = new Set([...refusedValues.map(([name]) => name), "OBSERVE_OTEL_LOG_LEVEL"]);
    expect(VARIABLES.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });

  test("tells every problem at once", () => {
    const result = readConfiguration({
      SERVER_PORT: "x",
      CACHE_TYPE: "x",
      GITHUB_APPS: "x",
      AWS_ENDPOINT_URL: "http://x",
    });
    expect(result.kind === "invalid" ? result.problems.map(({ variable }) => variable).sort() : []).toEqual([
      "AWS_ENDPOINT_URL",
      "BUILDKITE_API_TOKEN",
      "CACHE_TYPE",
      "GITHUB_APPS",
      "GITHUB_APP_ID",
      "GITHUB_APP_INSTALLATION_ID",
      "GITHUB_APP_PRIVATE_KEY_ARN",
      "JWT_BUILDKITE_ORGANIZATION_SLUG",
      "SERVER_PORT",
    ]);
  });

  test.each(["http://127.0.0.1:5555", "http://localhost:5555", "https://kms.eu-west-1.amazonaws.com"])(
    "lets AWS endpoints be %s",
    (url) => {
      expect(read({ AWS_ENDPOINT_URL_KMS: url, AWS_ENDPOINT_URL: url }).kind).toBe("valid");
    },
  );

  test.each(["http://169.254.170.2/x", "http://[fd00:ec2::23]/v1/credentials", "http://localhost:1/x"])(
    "lets container credentials come from %s",
    (url) => expect(read({ AWS_CONTAINER_CREDENTIALS_FULL_URI: url }).kind).toBe("valid"),
  );
});

function read(environment: Environment): ConfigurationResult {
  const broken = (text: string): string | undefined => (text.startsWith("bad") ? "is broken" : undefined);
  return readConfiguration(
    { ...MINIMAL_ENVIRONMENT, ...environment },
    {
      pem: broken,
      jwks: broken,
      iam: ({ username }) =>
        username === "bad-name" ? [{ at: "username", problem: "is broken", accepted: "a good name" }] : [],
    },
  );
}

function valid(environment: Environment): Configuration {
  const result = read(environment);
  if (result.kind === "valid") return result.configuration;
  throw new Error(result.problems.map(({ variable, problem }) => `${variable} ${problem}`).join("\n"));
}

function pemOf({ github }: Configuration): string | undefined {
  return github.defaultApp.key.kind === "privateKey" ? github.defaultApp.key.pem.reveal() : undefined;
}

function passwordOf({ cache }: Configuration): Secret | undefined {
  return cache.valkey?.authentication.kind === "password" ? cache.valkey.authentication.password : undefined;
}

function iamOf({ cache }: Configuration) {
  return cache.valkey?.authentication.kind === "iam" ? cache.valkey.authentication : undefined;
}
