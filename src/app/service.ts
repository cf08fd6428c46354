import { createAuditLog, type AuditLog } from "../audit/audit-log.ts";
import type { Configuration } from "../config/configuration.ts";
import { createRequestHandler } from "../http/request-handler.ts";
import { startServer } from "../http/server.ts";
import type { HttpSettings } from "../http/services.ts";
import { boundedFetch, type BoundedFetch } from "../lib/bounded-fetch.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import { systemClock, type Clock } from "../lib/clock.ts";
import { limitPerHost } from "../lib/limited-fetch.ts";
import { retrySafely } from "../lib/retrying-fetch.ts";
import type { Verifier } from "../oidc/buildkite-identity.ts";
import { createKeySource } from "../oidc/key-source.ts";
import { createStaticKeySource } from "../oidc/static-key-source.ts";
import { createVerifier } from "../oidc/verifier.ts";
import type { Logger } from "../telemetry/logger.ts";
import { mintedFields } from "../vending/audit-token.ts";
import type { AuthorizedRequest } from "../vending/authorize.ts";
import { createCallBudget } from "../vending/call-budget.ts";
import { createMint } from "../vending/mint.ts";
import { createMovedPipelines } from "../vending/moved-pipelines.ts";
import { createVend, type Vend } from "../vending/vend.ts";
import { createAwsStage } from "./aws.ts";
import { createCacheStage, type CacheStage } from "./cache.ts";
import type { Output } from "./output.ts";
import { createPolicyStage, type PolicyStage } from "./policy.ts";
import { createUpstreams, type Upstreams } from "./upstreams.ts";

export interface RunningService extends AsyncDisposable {
  readonly port: number;
  readonly logger: Logger;
  readonly refreshPolicy: () => void;
}

/**
 * The whole service. Resolves when it listens: the keyset and a policy are in force, the Apps have been checked. Rejects when the keyset
 * cannot be loaded, the default App cannot be used, the port cannot be had, or `stop` is aborted first. Disposing stops accepting and lets requests in flight finish.
 */
export async function startService(
  configuration: Configuration,
  { lines, logger }: Output,
  stop: AbortSignal,
): Promise<RunningService> {
  const clock = systemClock;
  await using started = new AsyncDisposableStack();
  // One limit a host for everybody, the issuer included; each try of a call takes its turn anew.
  const fetch = limitPerHost(boundedFetch, configuration.server.outgoingMaxConnectionsPerHost, clock);
  const retrying = retrySafely(fetch, { clock, random: Math.random });
  const aws = started.use(createAwsStage(clock, logger));
  const upstreams = started.use(createUpstreams(configuration, { fetch: retrying, aws, clock, logger }));
  const cache = started.use(await createCacheStage(configuration.cache, { aws, clock, logger, stop }));
  await upstreams.startRegistry();
  const policy = started.use(createPolicyStage(configuration, upstreams, clock, logger));
  await policy.load(stop);
  const audit = createAuditLog(lines, clock);
  const handle = createRequestHandler({
    verifier: createVerifierFor(configuration, fetch, logger),
    policy: policy.current,
    apps: upstreams.apps,
    vend: createVending(configuration, { upstreams, cache, policy, audit, clock }),
    audit,
    clock,
    newRequestId: () => crypto.randomUUID(),
    onUnexpected: (error) => logger.error("request failed unexpectedly", { error: describeCauses(error) }),
    settings: httpSettings(configuration),
  });
  const { port, host } = configuration.server;
  const server = started.use(startServer({ port, ...(host === undefined ? {} : { hostname: host }) }, handle));
  policy.start();
  const stack = started.move();
  return {
    port: server.port,
    logger,
    refreshPolicy: policy.refreshNow,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

function httpSettings({ server, github, profiles, discloseAppIdentifiers }: Configuration): HttpSettings {
  const { basePath, maxInFlight, trustedProxyHops } = server;
  const { source, allowSelfWrite } = profiles;
  return {
    basePath,
    maxInFlight,
    trustedProxyHops,
    discloseAppIdentifiers,
    gitHubWebUrl: github.webUrl,
    protectedRepository: source.kind === "github" && !allowSelfWrite ? source.repository : undefined,
  };
}

function createVerifierFor({ jwt }: Configuration, fetch: BoundedFetch, logger: Logger): Verifier {
  const { issuerUrl, audience, organizationSlug, organizationId, staticJwks } = jwt;
  const observer = {
    keysFetched: () => logger.debug("issuer's keys fetched", { issuer: issuerUrl }),
    keysFetchFailed: (cause: string, heldForMs: number | undefined) =>
      logger.warn("issuer's keys could not be fetched", { issuer: issuerUrl, cause, heldForMs }),
  };
  return createVerifier({
    issuer: issuerUrl,
    audience,
    organizationSlug,
    ...(organizationId === undefined ? {} : { organizationId }),
    keySource:
      staticJwks === undefined
        ? createKeySource({ issuer: issuerUrl, fetch, clock: systemClock, observer })
        : createStaticKeySource(staticJwks.reveal()),
    clock: systemClock,
  });
}

interface VendingParts {
  readonly upstreams: Upstreams;
  readonly cache: CacheStage;
  readonly policy: PolicyStage;
  readonly audit: AuditLog;
  readonly clock: Clock;
}

/** authorized(cached(mint)): `authorize` stands in the request pipeline, so that a warm entry answers nobody whom the rules refuse. */
function createVending(configuration: Configuration, { upstreams, cache, policy, audit, clock }: VendingParts): Vend {
  const { webUrl } = configuration.github;
  const { pipelines, connectionOf } = upstreams;
  const budget = createCallBudget(configuration.buildkite.callsPerMinutePerPipeline, clock);
  const common = { pipelines, webUrl, budget, clock };
  const isInForce = ({ policyDigest }: AuthorizedRequest): boolean => {
    const current = policy.current();
    return current.kind === "generation" && current.generation.digest === policyDigest;
  };
  return createVend({
    cache: cache.tokens,
    mint: createMint({ ...common, connect: ({ app }) => connectionOf(app) }),
    moved: createMovedPipelines(common),
    webUrl,
    clock,
    mayRenew: (request) => isInForce(request) && upstreams.apps.find(request.app.name) !== undefined,
    announce: (request, token) => audit.mint(mintedFields(request, token, clock.nowMs())).written,
  });
}
