import { createAuditLog, type AuditLog } from "../audit/audit-log.ts";
import type { Configuration } from "../config/configuration.ts";
import { revokeInstallationToken } from "../github/installation-tokens.ts";
import { createAuditParts } from "../http/audit-parts.ts";
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
import type { Telemetry } from "../telemetry/telemetry.ts";
import { createAwsStage } from "./aws.ts";
import { createCacheStage, type CacheStage } from "./cache.ts";
import { observeCalls, observeLimits } from "./observe/fetch.ts";
import { createRequestObserver } from "./observe/requests.ts";
import type { Output } from "./output.ts";
import { createPolicyStage, type PolicyStage } from "./policy.ts";
import { createUpstreams, type Upstreams } from "./upstreams.ts";

export interface RunningService extends AsyncDisposable {
  readonly port: number;
  readonly logger: Logger;
  readonly refreshPolicy: () => void;
}

/** What the service takes from the machine it runs on. */
export interface Machine {
  readonly clock: Clock;
  /** One exchange with GitHub, Buildkite or the issuer, as `boundedFetch` promises it. */
  readonly fetch: BoundedFetch;
}

const REAL_MACHINE: Machine = { clock: systemClock, fetch: boundedFetch };

export interface ServiceSurroundings extends Pick<Output, "lines" | "logger"> {
  readonly telemetry: Telemetry | undefined;
}

/**
 * The whole service. Resolves when it listens: the keyset and a policy are in force, the Apps have been checked. Rejects when the keyset
 * cannot be loaded, the default App cannot be used, the port cannot be had, or `stop` is aborted first. Disposing stops accepting and lets requests in flight finish.
 */
export async function startService(
  configuration: Configuration,
  { lines, logger, telemetry }: ServiceSurroundings,
  stop: AbortSignal,
  { clock, fetch: exchange }: Machine = REAL_MACHINE,
): Promise<RunningService> {
  await using started = new AsyncDisposableStack();
  // One limit a host for everybody, the issuer included; each try of a call takes its turn anew.
  const observed = observeUpstreams(exchange, configuration, telemetry);
  const fetch = limitPerHost(observed, configuration.server.outgoingMaxConnectionsPerHost, clock);
  const retrying = retrySafely(fetch, { clock, random: Math.random });
  const aws = started.use(createAwsStage(clock, logger));
  const awsTraces = configuration.observe.httpTransportEnabled ? telemetry : undefined;
  const common = { aws, awsTraces, clock, logger, telemetry };
  const upstreams = started.use(createUpstreams(configuration, { ...common, fetch: retrying }));
  const audit = createAuditLog(lines, clock);
  const revoke = (token: string): Promise<void> => revokeInstallationToken(upstreams.github, token);
  const cache = started.use(await createCacheStage(configuration.cache, { ...common, stop, audit, revoke }));
  await upstreams.startRegistry();
  const policy = started.use(createPolicyStage(configuration, upstreams, common));
  await policy.load(stop);
  const handle = createRequestHandler({
    verifier: createVerifierFor(configuration, { fetch, clock, logger, telemetry }),
    policy: policy.current,
    apps: upstreams.apps,
    vend: createVending(configuration, { upstreams, cache, policy, audit, clock, telemetry }),
    audit,
    auditParts: createAuditParts(),
    clock,
    newRequestId: () => crypto.randomUUID(),
    onUnexpected: (error) => logger.error("request failed unexpectedly", { error: describeCauses(error) }),
    ...(telemetry === undefined ? {} : { observer: createRequestObserver(telemetry) }),
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

function observeUpstreams(
  fetch: BoundedFetch,
  { observe }: Configuration,
  telemetry: Telemetry | undefined,
): BoundedFetch {
  if (telemetry === undefined) return fetch;
  const limits = observeLimits(fetch, telemetry);
  return observe.httpTransportEnabled ? observeCalls(limits, telemetry) : limits;
}

interface VerifierSurroundings extends Pick<Machine, "fetch" | "clock"> {
  readonly logger: Logger;
  readonly telemetry: Telemetry | undefined;
}

function createVerifierFor(
  { jwt }: Configuration,
  { fetch, clock, logger, telemetry }: VerifierSurroundings,
): Verifier {
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
        ? createKeySource({ issuer: issuerUrl, fetch, clock, observer })
        : createStaticKeySource(staticJwks.reveal()),
    clock,
    ...(telemetry === undefined
      ? {}
      : { observer: { judged: (verdict) => telemetry.metrics.count("oidc.verification", { outcome: verdict }) } }),
  });
}

interface VendingParts {
  readonly upstreams: Upstreams;
  readonly cache: CacheStage;
  readonly policy: PolicyStage;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly telemetry: Telemetry | undefined;
}

/** authorized(cached(mint)): `authorize` stands in the request pipeline, so that a warm entry answers nobody whom the rules refuse. */
function createVending(configuration: Configuration, parts: VendingParts): Vend {
  const { upstreams, cache, policy, audit, clock, telemetry } = parts;
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
    ...(telemetry === undefined
      ? {}
      : {
          observe: (result, app) =>
            telemetry.metrics.count("token.cache.outcome", { "token.cache.result": result, "token.app": app }),
        }),
  });
}
