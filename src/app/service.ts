import { createAuditLog } from "../audit/audit-log.ts";
import { OutputLines } from "../audit/output-lines.ts";
import { openStandardOutput } from "../audit/standard-output.ts";
import { createMemoryCache } from "../cache/cache.ts";
import type { Configuration } from "../config/configuration.ts";
import { createRequestHandler } from "../http/request-handler.ts";
import { startServer } from "../http/server.ts";
import type { HttpSettings } from "../http/services.ts";
import { boundedFetch } from "../lib/bounded-fetch.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import { systemClock } from "../lib/clock.ts";
import type { Verifier } from "../oidc/buildkite-identity.ts";
import { createKeySource } from "../oidc/key-source.ts";
import { createStaticKeySource } from "../oidc/static-key-source.ts";
import { createVerifier } from "../oidc/verifier.ts";
import { defaultPolicy } from "../profiles/default-policy.ts";
import { createJsonLogger, type Logger } from "../telemetry/logger.ts";
import type { VendedToken } from "../token/vended-token.ts";
import { createMint, type Refusal } from "../vending/mint.ts";
import { createMovedPipelines } from "../vending/moved-pipelines.ts";
import { createVend, type Vend } from "../vending/vend.ts";
import { createUpstreams, type Upstreams } from "./upstreams.ts";

const MEMORY_ENTRIES = 10_000;
const CALLER_VARIED_ENTRIES = 2_000;

export interface RunningService extends AsyncDisposable {
  readonly port: number;
  readonly logger: Logger;
}

/** The whole service, listening. Disposing stops accepting, lets requests in flight finish and their lines leave. */
export function startService(configuration: Configuration): RunningService {
  const clock = systemClock;
  const lines = new OutputLines({
    sink: openStandardOutput(),
    instance: crypto.randomUUID(),
    clock,
    onFailure: () => undefined,
  });
  const logger = createJsonLogger(configuration.logging.level, clock.nowMs, (line) => void lines.append(line, "log"));
  const upstreams = createUpstreams(configuration, boundedFetch, clock);
  const handle = createRequestHandler({
    verifier: createVerifierFor(configuration),
    policy: () => ({ kind: "generation", generation: defaultPolicy }),
    apps: upstreams.apps,
    vend: createVending(configuration, upstreams),
    audit: createAuditLog(lines, clock),
    clock,
    newRequestId: () => crypto.randomUUID(),
    onUnexpected: (error) => logger.error("request failed unexpectedly", { error: describeCauses(error) }),
    settings: httpSettings(configuration),
  });
  const { port, host } = configuration.server;
  const server = startServer({ port, ...(host === undefined ? {} : { hostname: host }) }, handle);
  return {
    port: server.port,
    logger,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await lines[Symbol.asyncDispose]();
    },
  };
}

function httpSettings({ server, github, profiles, discloseAppIdentifiers }: Configuration): HttpSettings {
  const { basePath, maxInFlight, trustedProxyHops } = server;
  const isProtected = profiles.source.kind === "github" && !profiles.allowSelfWrite;
  return {
    basePath,
    maxInFlight,
    trustedProxyHops,
    discloseAppIdentifiers,
    gitHubWebUrl: github.webUrl,
    protectedRepository: isProtected && profiles.source.kind === "github" ? profiles.source.repository : undefined,
  };
}

function createVerifierFor({ jwt }: Configuration): Verifier {
  const keySource =
    jwt.staticJwks === undefined
      ? createKeySource({ issuer: jwt.issuerUrl, fetch: boundedFetch, clock: systemClock })
      : createStaticKeySource(jwt.staticJwks.reveal());
  return createVerifier({
    issuer: jwt.issuerUrl,
    audience: jwt.audience,
    organizationSlug: jwt.organizationSlug,
    ...(jwt.organizationId === undefined ? {} : { organizationId: jwt.organizationId }),
    keySource,
    clock: systemClock,
  });
}

/** authorized(cached(mint)): `authorize` stands in the request pipeline, so that a warm entry answers nobody whom the rules refuse. */
function createVending(configuration: Configuration, upstreams: Upstreams): Vend {
  const { webUrl } = configuration.github;
  const cache = createMemoryCache<VendedToken, Refusal>({
    ttlMs: configuration.cache.tokenTtlMs,
    capacity: MEMORY_ENTRIES,
    callerVariedCapacity: CALLER_VARIED_ENTRIES,
    clock: systemClock,
  });
  const mint = createMint({
    pipelines: upstreams.pipelines,
    webUrl,
    connect: ({ app }) => upstreams.connectionOf(app),
    clock: systemClock,
  });
  const moved = createMovedPipelines(upstreams.pipelines, webUrl, systemClock);
  return createVend({ cache, mint, moved, webUrl });
}
