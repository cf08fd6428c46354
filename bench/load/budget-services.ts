import { openSync, writeSync } from "node:fs";
import { createAuditLog } from "../../src/audit/audit-log.ts";
import { OutputLines } from "../../src/audit/output-lines.ts";
import { createCache, type CacheOptions } from "../../src/cache/create-cache.ts";
import type { GitHubApp } from "../../src/github/app.ts";
import { AskedProfiles } from "../../src/http/asked-profile.ts";
import { Caller } from "../../src/http/caller.ts";
import { KnownTokens } from "../../src/http/known-tokens.ts";
import type { Services } from "../../src/http/services.ts";
import { systemClock as clock } from "../../src/lib/clock.ts";
import { createStaticKeySource } from "../../src/oidc/static-key-source.ts";
import { createVerifier } from "../../src/oidc/verifier.ts";
import { compileFile } from "../../src/profiles/compile.ts";
import type { PolicyGeneration } from "../../src/profiles/policy.ts";
import type { Simulator } from "../../src/simulator/simulator.ts";
import { VendedToken } from "../../src/token/vended-token.ts";
import type { Refusal } from "../../src/vending/mint.ts";
import { createVend } from "../../src/vending/vend.ts";
import { PLAIN_HTTP } from "../../tests/support/plain-http.ts";

/** The service's own parts, for one profile with two match rules; the audit lines go to /dev/null. */
export interface BudgetServices extends Services {
  readonly generation: PolicyGeneration;
  readonly app: GitHubApp;
  readonly cache: ReturnType<typeof createCache<VendedToken, Refusal>>;
  readonly lines: OutputLines;
  /** What GitHub would have given. */
  readonly token: VendedToken;
}

const POLICY = `
pipeline:
  profiles:
    - name: release
      match:
        - claim: pipeline_slug
          value: widget
        - claim: build_branch
          valuePattern: main|release/.*
      permissions: [contents:write, metadata:read]
`;
const WEB = PLAIN_HTTP.gitHubWebUrl;
const TOKEN_SECONDS = 3600;

export async function openBudgetServices(simulator: Simulator): Promise<BudgetServices> {
  const { JWT_ISSUER_URL: issuer = "" } = simulator.environment();
  const found = await fetch(`${issuer}/.well-known/openid-configuration`);
  const discovery: { readonly jwks_uri: string } = JSON.parse(await found.text());
  const keySource = createStaticKeySource(await (await fetch(discovery.jwks_uri)).text());
  const compiled = compileFile(new TextEncoder().encode(POLICY), "0".repeat(64));
  if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.findings));
  const { generation } = compiled.policy;
  const unused = (): Promise<never> => Promise.reject(new Error("nothing is signed here"));
  const app: GitHubApp = { name: "default", appId: 111, installationId: 222, signer: { sign: unused } };
  const expiresAt = Math.floor(clock.nowMs() / 1000) + TOKEN_SECONDS;
  const token = new VendedToken(`ghs_${"x".repeat(36)}`, expiresAt, `${WEB.origin}/acme/widget`);
  const cache = createCache<VendedToken, Refusal>(CACHE);
  const profiles = new AskedProfiles();
  const nowhere = openSync("/dev/null", "w");
  const sink = { send: (text: string) => void writeSync(nowhere, text) };
  const lines = new OutputLines({ sink, instance: "5f0c6a3e", clock, onFailure: () => undefined });
  return {
    generation,
    app,
    cache,
    lines,
    token,
    verifier: createVerifier({
      issuer,
      audience: simulator.audience,
      organizationSlug: "acme",
      keySource,
      clock,
      introduce: (identity) => new Caller(identity, profiles),
    }),
    policy: () => ({ kind: "generation", generation }),
    apps: { find: () => app, account: () => ({ id: 1, login: "acme", type: "Organization" }) },
    vend: createVend({
      cache,
      mint: () => Promise.resolve({ kind: "value", value: token }),
      moved: { hasMoved: () => Promise.resolve(false) },
      webUrl: WEB,
      clock,
      mayRenew: () => false,
      announce: () => Promise.resolve(),
    }),
    audit: createAuditLog(lines, clock),
    knownTokens: new KnownTokens(),
    clock,
    newRequestId: () => crypto.randomUUID(),
    onUnexpected: (error) => {
      throw error;
    },
    settings: PLAIN_HTTP,
  };
}

const CACHE: CacheOptions<VendedToken> = {
  ttlMs: 2_700_000,
  maxStaleMs: 0,
  capacity: 10_000,
  callerVariedCapacity: 1000,
  clock,
  random: Math.random,
  observer: { operated: () => undefined, ciphered: () => undefined, unused: () => undefined },
  isOutage: () => false,
};
