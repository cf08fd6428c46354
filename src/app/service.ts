import { createAuditLog, type AuditLog } from "../audit/audit-log.ts";
import type { Configuration } from "../config/configuration.ts";
import { revokeInstallationToken } from "../github/installation-tokens.ts";
import { AskedProfiles } from "../http/asked-profile.ts";
import { Caller } from "../http/caller.ts";
import { KnownTokens } from "../http/known-tokens.ts";
import { createRequestHandler, type RequestHandler } from "../http/request-handler.ts";
import { startServer } from "../http/server.ts";
import type { HttpSettings } from "../http/services.ts";
import { boundedFetch, type BoundedFetch } from "../lib/bounded-fetch.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import { systemClock, type Clock } from "../lib/clock.ts";
import type { Verifier } from "../oidc/buildkite-identity.ts";
import { createKeySource } from "../oidc/key-source.ts";
import { createStaticKeySource } from "../oidc/static-key-source.ts";
import { createVerifier } from "../oidc/verifier.ts";
import type { Logger } from "../telemetry/logger.ts";
import { mintedFields } from "../vending/audit-token.ts";
import type { AuthorizedRequest } from "../vending/authorize.ts";
import { createMint } from "../vending/mint.ts";
import { createRecentRequests } from "../vending/recent-requests.ts";
import { createMovedPipelines } from "../vending/moved-pipelines.ts";
import { createVend, type Vend } from "../vending/vend.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import { createAwsStage, type AwsStage } from "./aws.ts";
import { createCacheStage, type CacheStage } from "./cache.ts";
import { createFetches } from "./fetches.ts";
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
  surroundings: ServiceSurroundings,
  stop: AbortSignal,
  machine: Machine = REAL_MACHINE,
): Promise<RunningService> {
  await using started = new AsyncDisposableStack();
  const aws = started.use(createAwsStage(machine.clock, surroundings.logger));
  const outside = { ...machine, random: Math.random, aws };
  const { handle, policy } = started.use(await createCore(configuration, surroundings, outside, stop));
  const { port, host } = configuration.server;
  const server = started.use(startServer({ port, ...(host === undefined ? {} : { hostname: host }) }, handle));
  policy.start();
  const stack = started.move();
  return {
    port: server.port,
    logger: surroundings.logger,
    refreshPolicy: policy.refreshNow,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Everything outside, AWS and chance included. */
export interface Outside extends Machine {
  /** 0 up to 1, as `Math.random`. */
  readonly random: () => number;
  readonly aws: AwsStage;
}

/** Everything between the network and the server: what answers a request, and the policy in force, which is not refreshed before it is told. */
export interface Core extends AsyncDisposable {
  readonly handle: RequestHandler;
  readonly policy: PolicyStage;
}

/** The service but for its server. Resolves and rejects as `startService` does. */
export async function createCore(
  configuration: Configuration,
  { lines, logger, telemetry }: ServiceSurroundings,
  { clock, fetch, random, aws }: Outside,
  stop: AbortSignal,
): Promise<Core> {
  await using started = new AsyncDisposableStack();
  const exchange = observeUpstreams(fetch, configuration, telemetry);
  const { issuerFetch, ...fetches } = createFetches(configuration, { clock, random, exchange });
  const awsTraces = configuration.observe.httpTransportEnabled ? telemetry : undefined;
  const common = { aws, awsTraces, clock, random, logger, telemetry };
  const upstreams = started.use(createUpstreams(configuration, { ...common, ...fetches }));
  const audit = createAuditLog(lines, clock);
  const revoke = (token: string): Promise<void> => revokeInstallationToken(upstreams.github, token);
  const cache = started.use(await createCacheStage(configuration.cache, { ...common, stop, audit, revoke }));
  await upstreams.startRegistry();
  const policy = started.use(createPolicyStage(configuration, upstreams, common));
  await policy.load(stop);
  const handle = createRequestHandler({
    verifier: createVerifierFor(configuration, { ...common, fetch: issuerFetch }),
    policy: policy.current,
    apps: upstreams.apps,
    vend: createVending(configuration, { upstreams, cache, policy, audit, clock, telemetry }),
    audit,
    knownTokens: new KnownTokens(),
    clock,
    newRequestId: () => crypto.randomUUID(),
    onUnexpected: (error) => logger.error("request failed unexpectedly", { error: describeCauses(error) }),
    ...(telemetry === undefined ? {} : { observer: createRequestObserver(telemetry) }),
    settings: httpSettings(configuration),
  });
  const stack = started.move();
  return { handle, policy, [Symbol.asyncDispose]: () => stack.disposeAsync() };
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

interface VerifierSurroundings extends Pick<Outside, "fetch" | "clock" | "random"> {
  readonly logger: Logger;
  readonly telemetry: Telemetry | undefined;
}

function createVerifierFor(
  { jwt }: Configuration,
  { fetch, clock, random, logger, telemetry }: VerifierSurroundings,
): Verifier<Caller> {
  const { issuerUrl, audience, organizationSlug, organizationId, staticJwks } = jwt;
  const observer = {
    keysFetched: () => logger.debug("issuer's keys fetched", { issuer: issuerUrl }),
    keysFetchFailed: (cause: string, heldForMs: number | undefined) =>
      logger.warn("issuer's keys could not be fetched", { issuer: issuerUrl, cause, heldForMs }),
  };
  const profiles = new AskedProfiles();
  return createVerifier({
    issuer: issuerUrl,
    audience,
    organizationSlug,
    ...(organizationId === undefined ? {} : { organizationId }),
    introduce: (identity) => new Caller(identity, profiles),
    keySource:
      staticJwks === undefined
        ? createKeySource({ issuer: issuerUrl, fetch, clock, random, observer })
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
  const common = { pipelines, webUrl, clock };
  const isInForce = ({ policyDigest }: AuthorizedRequest): boolean => {
    const current = policy.current();
    return current.kind === "generation" && current.generation.digest === policyDigest;
  };
  return createVend({
    cache: cache.tokens,
    mint: createMint({ ...common, recent: createRecentRequests(clock), connect: ({ app }) => connectionOf(app) }),
    moved: createMovedPipelines(common),
    webUrl,
    clock,
    mayRenew: (request) =>
      isInForce(request) && upstreams.apps.find(request.app.name) !== undefined && upstreams.mayRenew(request.app),
    announce: (request, token) => audit.mint(mintedFields(request, token, clock.nowMs())).written,
    ...(telemetry === undefined
      ? {}
      : {
          observe: (result, app) =>
            telemetry.metrics.count("token.cache.outcome", { "token.cache.result": result, "token.app": app }),
        }),
  });
}
