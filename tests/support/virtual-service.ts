import { createHash } from "node:crypto";
import type { KMS } from "@aws-sdk/client-kms";
import { configurationChecks } from "../../src/app/configuration-checks.ts";
import { createCore, type Core } from "../../src/app/service.ts";
import { OutputLines } from "../../src/audit/output-lines.ts";
import { readConfiguration } from "../../src/config/read-configuration.ts";
import type { BoundedFetch, BoundedResponse, OutgoingRequest } from "../../src/lib/bounded-fetch.ts";
import { UpstreamFault } from "../../src/lib/upstream-fault.ts";
import { createFixedClock, type FixedClock } from "./fixed-clock.ts";
import { AUDIENCE, CLAIMS, createIssuerKey, ISSUER, signToken } from "./oidc-tokens.ts";

/** What the service asks of whom. */
export type Service = "oidc" | "buildkite" | "tokens" | "installations" | "contents" | "kms";
export const SERVICES: readonly Service[] = ["oidc", "buildkite", "tokens", "installations", "contents", "kms"];

/** `refuse`: no connection; `hang`: no answer; a number: that status with nothing behind it; else that reply. */
export type Fault =
  | "refuse"
  | "hang"
  | number
  | { readonly status: number; readonly headers?: Record<string, string>; readonly message?: string };

export interface Answer {
  readonly status: number;
  readonly json: any;
  readonly retryAfter: number | undefined;
  /** Virtual time. */
  readonly tookMs: number;
}

/** The whole service but for its server, in virtual time, over a network in memory. */
export interface VirtualService extends AsyncDisposable {
  readonly clock: FixedClock;
  /** What is wrong outside; changed by assignment. A function decides call by call. */
  faults: Partial<Record<Service, Fault | ((request: OutgoingRequest) => Fault | undefined)>>;
  /** How long a call takes that goes well. */
  latencyMs: number;
  /** Calls of GitHub's primary limit that are left; undefined: it does not say. */
  quota: { limit: number; remaining: number } | undefined;
  policy: string;
  /** Of pipelines that have another id than `id-of-SLUG`, by slug. */
  readonly pipelineIds: Map<string, string>;
  readonly calls: Record<Service, number>;
  readonly lines: Readonly<Record<string, any>>[];
  /** Sends a request and lets the clock run until it is answered. */
  readonly ask: (pipeline: string, path?: string) => Promise<Answer>;
  /** Sends a request; the clock stands still. */
  readonly begin: (pipeline: string, path?: string) => Promise<Answer>;
  readonly refreshPolicy: () => Promise<void>;
  /** Another instance in the same surroundings, with nothing in memory. */
  readonly restart: () => Promise<void>;
}

const KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/1";
const STEP_MS = 50;
const issuerKey = createIssuerKey("key-1");

/** The same numbers at every run. */
function createRandom(): () => number {
  let state = 42;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export async function startVirtualService(overrides: Readonly<Record<string, string>> = {}): Promise<VirtualService> {
  const clock = createFixedClock();
  const random = createRandom();
  const lines: Record<string, any>[] = [];
  const calls: Record<Service, number> = { oidc: 0, buildkite: 0, tokens: 0, installations: 0, contents: 0, kms: 0 };
  let minted = 0;
  const tokens = new Map<string, { readonly jwt: string; readonly untilMs: number }>();

  const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  /** Passes after the usual time; fails as what is wrong with the service says. */
  const pass = async (service: Service, request: OutgoingRequest): Promise<BoundedResponse | undefined> => {
    calls[service] += 1;
    const chosen = world.faults[service];
    const fault = typeof chosen === "function" ? chosen(request) : chosen;
    const { upstream, operation } = request;
    if (fault === "refuse")
      throw new UpstreamFault("upstream-unavailable", `${operation}: refused`, { upstream, notSent: true });
    if (fault === "hang") {
      await pause(request.timeoutMs);
      throw new UpstreamFault("upstream-unavailable", `${operation}: no complete reply in time`, { upstream });
    }
    await pause(world.latencyMs);
    if (fault === undefined) return undefined;
    const { status, headers = {}, message = "no" } = typeof fault === "number" ? { status: fault } : fault;
    return reply(status, { message }, headers);
  };
  const reply = (status: number, json: unknown, headers: Record<string, string> = {}): BoundedResponse => ({
    status,
    headers: new Headers({ ...headers, date: new Date(clock.nowMs()).toUTCString() }),
    body: new TextEncoder().encode(JSON.stringify(json)),
  });
  const quotaHeaders = (): Record<string, string> => {
    if (world.quota === undefined) return {};
    world.quota.remaining = Math.max(0, world.quota.remaining - 1);
    return {
      "x-ratelimit-limit": String(world.quota.limit),
      "x-ratelimit-remaining": String(world.quota.remaining),
      "x-ratelimit-reset": String(Math.floor(clock.nowMs() / 3_600_000 + 1) * 3600),
    };
  };
  const grant = (body: string | undefined): BoundedResponse => {
    const asked: { permissions: object; repositories?: string[] } = JSON.parse(body ?? "{}");
    const names = asked.repositories;
    return reply(
      201,
      {
        token: `ghs_${++minted}`,
        expires_at: new Date(clock.nowMs() + 3_600_000).toISOString(),
        permissions: asked.permissions,
        repository_selection: names === undefined ? "all" : "selected",
        ...(names === undefined ? {} : { repositories: names.map((name) => ({ name, owner: { login: "acme" } })) }),
      },
      quotaHeaders(),
    );
  };
  const exchange: BoundedFetch = async (request) => {
    const url = new URL(request.url);
    const service = serviceOf(url);
    const failed = await pass(service, request);
    if (failed !== undefined) return failed;
    switch (service) {
      case "oidc":
        return url.pathname === "/jwks"
          ? reply(200, { keys: [issuerKey.jwk] })
          : reply(200, { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` });
      case "buildkite": {
        const slug = url.pathname.split("/").at(-1) ?? "";
        return reply(200, {
          id: world.pipelineIds.get(slug) ?? `id-of-${slug}`,
          repository: `git@github.com:acme/${slug}.git`,
        });
      }
      case "contents":
        return reply(200, contentsOf(world.policy));
      case "installations":
        return reply(200, { id: 222, account: { id: 1, login: "acme", type: "Organization" }, permissions: {} });
      case "tokens":
        return grant(request.body);
      case "kms":
        throw new Error("KMS is not asked this way");
    }
  };
  /** As far as the signer uses it. */
  const kms = {
    sign: async () => {
      const request = { upstream: "kms", operation: "sign", timeoutMs: 10_000 } as OutgoingRequest;
      const failed = await pass("kms", request);
      if (failed === undefined) return { Signature: new Uint8Array(256) };
      throw Object.assign(new Error("no"), {
        name: "AccessDeniedException",
        $metadata: { httpStatusCode: failed.status },
      });
    },
  } as unknown as KMS;
  const aws = {
    credentials: undefined as never,
    clients: {
      clock,
      kms: async () => kms,
      secretsManager: () => Promise.reject(new Error("unused")),
      [Symbol.dispose]: () => undefined,
    },
    [Symbol.dispose]: () => undefined,
  };
  const configuration = readConfiguration(
    {
      JWT_ISSUER_URL: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWT_BUILDKITE_ORGANIZATION_SLUG: "acme",
      BUILDKITE_API_TOKEN: "token",
      GITHUB_APP_ID: "111",
      GITHUB_APP_INSTALLATION_ID: "222",
      GITHUB_APP_PRIVATE_KEY_ARN: KEY_ARN,
      GITHUB_ORG_PROFILE: "acme:policy:profiles.yaml",
      ...overrides,
    },
    configurationChecks,
  );
  if (configuration.kind === "invalid") throw new Error(JSON.stringify(configuration.problems));
  const log = (level: string) => (message: string, fields?: object) => void lines.push({ level, message, ...fields });
  const output = {
    lines: new OutputLines({
      sink: {
        send: (text) => {
          for (const line of text.trim().split("\n")) lines.push(JSON.parse(line));
          return undefined;
        },
      },
      instance: "virtual",
      clock,
      onFailure: (error) => {
        throw error;
      },
    }),
    telemetry: undefined,
    logger: { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") },
  };
  let core: Core;
  const start = async (): Promise<Core> => {
    const stop = new AbortController().signal;
    const starting = createCore(configuration.configuration, output, { clock, random, fetch: exchange, aws }, stop);
    const made = await run(clock, starting);
    made.policy.start();
    return made;
  };
  const jwtOf = (pipeline: string): string => {
    const known = tokens.get(pipeline);
    if (known !== undefined && clock.nowMs() < known.untilMs) return known.jwt;
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    const jwt = signToken(issuerKey, {
      ...CLAIMS,
      iat: nowSeconds,
      nbf: nowSeconds,
      exp: nowSeconds + 300,
      pipeline_slug: pipeline,
      pipeline_id: `id-of-${pipeline}`,
    });
    tokens.set(pipeline, { jwt, untilMs: clock.nowMs() + 240_000 });
    return jwt;
  };
  const begin = async (pipeline: string, path = "/token"): Promise<Answer> => {
    const startedMs = clock.monotonicMs();
    const headers = { host: "bridge", authorization: `Bearer ${jwtOf(pipeline)}` };
    const request = new Request(`http://bridge${path}`, { method: "POST", headers });
    const response = await core.handle(request, { peer: "127.0.0.1:1", closeAfter: () => undefined });
    const text = await response.text();
    const retryAfter = response.headers.get("retry-after");
    return {
      status: response.status,
      json: text === "" ? undefined : JSON.parse(text),
      retryAfter: retryAfter === null ? undefined : Number(retryAfter),
      tookMs: clock.monotonicMs() - startedMs,
    };
  };
  const world: VirtualService = {
    clock,
    faults: {},
    latencyMs: 200,
    quota: undefined,
    policy: "pipeline: {}\n",
    pipelineIds: new Map(),
    calls,
    lines,
    begin,
    ask: (pipeline, path) => run(clock, begin(pipeline, path)),
    refreshPolicy: async () => {
      core.policy.refreshNow();
      await clock.advanceAndSettle(2_000);
    },
    restart: async () => {
      await core[Symbol.asyncDispose]();
      core = await start();
    },
    [Symbol.asyncDispose]: () => core[Symbol.asyncDispose](),
  };
  core = await start();
  return world;
}

/** Lets the clock run until the promise settles. */
async function run<T>(clock: FixedClock, promise: Promise<T>): Promise<T> {
  const state = { isSettled: false };
  const settle = () => {
    state.isSettled = true;
  };
  promise.then(settle, settle);
  // The event loop first: what needs no time takes none.
  for (let turns = 0; turns < 4 && !state.isSettled; turns++) await clock.advanceAndSettle(0);
  while (!state.isSettled) await clock.advanceAndSettle(STEP_MS);
  return promise;
}

function serviceOf({ origin, pathname }: URL): Service {
  if (origin === ISSUER) return "oidc";
  if (origin === "https://api.buildkite.com") return "buildkite";
  if (pathname.endsWith("/access_tokens")) return "tokens";
  return pathname.startsWith("/repos/") ? "contents" : "installations";
}

function contentsOf(text: string): object {
  const bytes = Buffer.from(text);
  const sha = createHash("sha1").update(`blob ${bytes.byteLength}\0`).update(bytes).digest("hex");
  return { type: "file", encoding: "base64", size: bytes.byteLength, sha, content: bytes.toString("base64") };
}
