import type { Secret } from "../lib/secret.ts";

/**
 * The service's whole configuration, read once from the environment. Values are shaped and checked; nothing has been
 * opened or connected to, except that `NAME_FILE` variables have been read.
 */
export interface Configuration {
  readonly server: ServerConfiguration;
  readonly jwt: JwtConfiguration;
  readonly buildkite: { readonly apiToken: Secret; readonly apiUrl: URL; readonly callsPerMinutePerPipeline: number };
  readonly github: GitHubConfiguration;
  readonly profiles: ProfileConfiguration;
  readonly cache: CacheConfiguration;
  readonly observe: ObserveConfiguration;
  /** Where ECS describes this container; absent elsewhere. As ECS set it, unchecked. */
  readonly containerMetadataUrl?: string;
  readonly discloseAppIdentifiers: boolean;
  readonly logging: { readonly level: LogLevel; readonly format: "json" | "development" };
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface ServerConfiguration {
  /** 0: any free port. */
  readonly port: number;
  /** Absent: all addresses. An IPv6 address has no brackets. */
  readonly host?: string;
  /** Empty, or `/a/b` without a trailing slash. */
  readonly basePath: string;
  readonly shutdownTimeoutMs: number;
  readonly drainDelayMs: number;
  readonly maxInFlight: number;
  readonly trustedProxyHops: number;
  /** `Infinity`: no limit. */
  readonly outgoingMaxIdleConnections: number;
  /** `Infinity`: no limit. */
  readonly outgoingMaxConnectionsPerHost: number;
}

export interface JwtConfiguration {
  readonly organizationSlug: string;
  readonly organizationId?: string;
  readonly audience: string;
  /** As it was written, since the claim is compared letter by letter; may end in a slash. */
  readonly issuerUrl: string;
  /** A JWKS document used in place of discovery. */
  readonly staticJwks?: Secret;
}

/**
 * How one App signs: with a key of ours, or by a key that never leaves KMS. Line breaks of the PEM are line feeds, however
 * it was written; the ARN is exactly as it was written.
 */
export type AppKeySource =
  { readonly kind: "privateKey"; readonly pem: Secret } | { readonly kind: "privateKeyArn"; readonly arn: string };

export interface AppConfiguration {
  readonly name: string;
  readonly appId: number;
  readonly installationId: number;
  readonly key: AppKeySource;
}

export interface GitHubConfiguration {
  /** The path has no trailing slash, but for the root. */
  readonly apiUrl: URL;
  /** Its host is the one that repositories have. */
  readonly webUrl: URL;
  readonly defaultApp: AppConfiguration;
  /** The entries of `GITHUB_APPS`; empty without a registry. */
  readonly otherApps: readonly AppConfiguration[];
}

export type ProfileSource =
  | { readonly kind: "none" }
  | { readonly kind: "github"; readonly owner: string; readonly repository: string; readonly path: string }
  | { readonly kind: "file"; readonly path: string };

export interface ProfileConfiguration {
  readonly source: ProfileSource;
  /** 0: no limit. */
  readonly maxStaleMs: number;
  readonly allowSelfWrite: boolean;
}

export type KeysetSource =
  | { readonly kind: "secrets-manager"; readonly secretId: string; readonly kmsKeyArn: string }
  | { readonly kind: "file"; readonly path: string };

export type ValkeyAuthentication =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly username?: string; readonly password: Secret }
  | {
      readonly kind: "iam";
      readonly username: string;
      readonly cacheName: string;
      readonly service: "elasticache" | "memorydb";
      readonly serverless: boolean;
    };

export interface ValkeyConfiguration {
  /** An IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly enabled: false } | { readonly enabled: true; readonly caFile?: string };
  readonly authentication: ValkeyAuthentication;
  /** Absent: values are stored in clear. */
  readonly keyset?: KeysetSource;
  readonly keyPrefix: string;
  readonly localTtlMs: number;
}

export interface CacheConfiguration {
  readonly tokenTtlMs: number;
  readonly maxStaleMs: number;
  /** Absent: `CACHE_TYPE=memory`. */
  readonly valkey?: ValkeyConfiguration;
}

export interface ObserveConfiguration {
  readonly enabled: boolean;
  readonly exporter: "grpc" | "http" | "stdout";
  readonly metricsEnabled: boolean;
  readonly serviceName: string;
  readonly traceBatchTimeoutMs: number;
  readonly metricReadIntervalMs: number;
  readonly httpTransportEnabled: boolean;
  readonly connectionTraceEnabled: boolean;
  readonly sdkLogLevel: "debug" | "info" | "warn" | "off";
  readonly sampler: { readonly parentBased: boolean; readonly ratio: number };
  readonly pyroscope?: {
    readonly serverAddress: URL;
    readonly basicAuthUser?: string;
    readonly basicAuthPassword?: Secret;
    readonly experiment?: string;
  };
}
