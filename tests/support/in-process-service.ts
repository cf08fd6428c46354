import type { AuditLog } from "../../src/audit/audit-log.ts";
import { createCache } from "../../src/cache/create-cache.ts";
import type { GitHubApp } from "../../src/github/app.ts";
import type { TokenRequest } from "../../src/github/installation-tokens.ts";
import { AskedProfiles } from "../../src/http/asked-profile.ts";
import { Caller } from "../../src/http/caller.ts";
import { KnownTokens } from "../../src/http/known-tokens.ts";
import { createRequestHandler } from "../../src/http/request-handler.ts";
import type { BuildkiteIdentity } from "../../src/oidc/buildkite-identity.ts";
import { compileFile } from "../../src/profiles/compile.ts";
import type { VendedToken } from "../../src/token/vended-token.ts";
import { createMint, type Refusal } from "../../src/vending/mint.ts";
import { createRecentRequests } from "../../src/vending/recent-requests.ts";
import { createMovedPipelines } from "../../src/vending/moved-pipelines.ts";
import { createVend } from "../../src/vending/vend.ts";
import { createFixedClock, type FixedClock } from "./fixed-clock.ts";
import { PLAIN_HTTP, SILENT_AUDIT } from "./plain-http.ts";

export const OWNER = "acme";
const WEB = PLAIN_HTTP.gitHubWebUrl;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What GitHub was asked for to make the token of this reply; undefined when it carries none. */
  readonly asked: TokenRequest | undefined;
}

export interface InProcessService {
  readonly clock: FixedClock;
  readonly ask: (identity: BuildkiteIdentity, request: Request) => Promise<Reply>;
}

function createApp(name: string): GitHubApp {
  return { name, appId: 111, installationId: 222, signer: { sign: () => Promise.reject(new Error("unused")) } };
}

/**
 * The service's own pipeline, without sockets, over an upstream that grants exactly what it is asked and remembers it. The policy's own
 * repository is called `policy`; a pipeline's repository has the name of its slug.
 */
export function createInProcessService(
  yaml: string,
  {
    apps = [],
    audit = () => SILENT_AUDIT,
  }: { readonly apps?: readonly string[]; readonly audit?: (clock: FixedClock) => AuditLog } = {},
): InProcessService {
  const compiled = compileFile(
    new TextEncoder().encode(yaml),
    new Bun.CryptoHasher("sha256").update(yaml).digest("hex"),
  );
  if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.findings));
  const { generation } = compiled.policy;
  const clock = createFixedClock();
  const registered = new Map(["default", ...apps].map((name) => [name, createApp(name)]));
  const asked: TokenRequest[] = [];
  const account = { id: 1, login: OWNER, type: "Organization" };
  const pipelines = {
    read: (_organization: string, slug: string) =>
      Promise.resolve({ id: `id-of-${slug}`, repository: `git@github.com:${OWNER}/${slug}.git` }),
  };
  const mint = createMint({
    pipelines,
    webUrl: WEB,
    clock,
    recent: createRecentRequests(clock),
    connect: () => ({
      account: () => account,
      revokeToken: () => Promise.resolve(),
      createToken: (request) => {
        const token = `ghs_${asked.push(request)}`;
        return Promise.resolve({
          token,
          expiresAtEpochSeconds: clock.nowMs() / 1000 + 3600,
          permissions: request.permissions,
          selection: request.repositories.kind === "all" ? "all" : "selected",
          repositories:
            request.repositories.kind === "all"
              ? []
              : request.repositories.names.map((name) => ({ owner: OWNER, name })),
        } as const);
      },
    }),
  });
  const cache = createCache<VendedToken, Refusal>({
    ttlMs: 2_700_000,
    maxStaleMs: 0,
    random: () => 0,
    capacity: 100,
    callerVariedCapacity: 100,
    clock,
    observer: { operated: () => undefined, ciphered: () => undefined, unused: () => undefined },
    isOutage: () => false,
  });
  const vend = createVend({
    cache,
    mint,
    moved: createMovedPipelines({ pipelines, webUrl: WEB, clock }),
    webUrl: WEB,
    clock,
    mayRenew: () => false,
    announce: () => Promise.resolve(),
  });
  let caller: Caller | undefined;
  /** Whoever comes again is the same object, as with JWTs that are in use. */
  const profiles = new AskedProfiles();
  const callers = new Map<string, Caller>();
  const callerOf = (identity: BuildkiteIdentity): Caller => {
    const { claims, ...others } = identity;
    const name = JSON.stringify([others, [...claims.keys()].map((claim) => [claim, claims.get(claim)])]);
    const known = callers.get(name) ?? new Caller(identity, profiles);
    callers.set(name, known);
    return known;
  };
  const handle = createRequestHandler({
    verifier: {
      verify: () => (caller === undefined ? { kind: "invalid", cause: "" } : { kind: "authenticated", caller }),
    },
    policy: () => ({ kind: "generation", generation }),
    apps: { find: (name) => registered.get(name), account: () => account },
    vend,
    audit: audit(clock),
    knownTokens: new KnownTokens(),
    clock,
    newRequestId: () => "id",
    onUnexpected: (error) => {
      throw error;
    },
    settings: PLAIN_HTTP,
  });
  return {
    clock,
    ask: async (who, request) => {
      caller = callerOf(who);
      const { status, headers, text } = await read(handle(request, { peer: "", closeAfter: () => undefined }));
      const number = /ghs_(\d+)/.exec(text)?.[1];
      return { status, headers, text, asked: number === undefined ? undefined : asked[Number(number) - 1] };
    },
  };
}

async function read(answer: Response | Promise<Response>): Promise<Omit<Reply, "asked">> {
  const response = await answer;
  return { status: response.status, headers: response.headers, text: await response.text() };
}
