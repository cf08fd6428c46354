import { createPurging } from "../../../src/app/purge.ts";
import { isLapse } from "../../../src/app/cache.ts";
import { rememberPipelines } from "../../../src/buildkite/remembered-pipelines.ts";
import { createCache } from "../../../src/cache/create-cache.ts";
import { createSealedForm, type EntryForm } from "../../../src/cache/entry-form.ts";
import { claimName } from "../../../src/cache/turn.ts";
import type { GitHubApp } from "../../../src/github/app.ts";
import { createAuditParts } from "../../../src/http/audit-parts.ts";
import { createRequestHandler } from "../../../src/http/request-handler.ts";
import { startKeysetHolder } from "../../../src/keyset/keyset-holder.ts";
import { BridgeError } from "../../../src/lib/bridge-error.ts";
import type { Services } from "../../../src/http/services.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { isRefusal } from "../../../src/lib/upstream-verdict.ts";
import type { BuildkiteIdentity } from "../../../src/oidc/buildkite-identity.ts";
import { MARKER_KEY } from "../../../src/purge/marker.ts";
import type { VendedToken } from "../../../src/token/vended-token.ts";
import type { AuthorizedRequest } from "../../../src/vending/authorize.ts";
import { createMint, type Mint, type Occasion, type Refusal } from "../../../src/vending/mint.ts";
import { createMovedPipelines } from "../../../src/vending/moved-pipelines.ts";
import { createRecentRequests } from "../../../src/vending/recent-requests.ts";
import { createVend, type Vend } from "../../../src/vending/vend.ts";
import { LOCAL_TTL_MS, MAX_STALE_MS, TTL_MS } from "./lifetimes.ts";
import { OWNER } from "./outside.ts";
import { POLICIES, type PipelineName, type PolicyIndex } from "./policies.ts";
import type { StoreLine } from "./shared-server.ts";
import type { Surroundings } from "./surroundings.ts";
import { watchCache, type Fetch } from "./watched-cache.ts";
import { Witness } from "./witness.ts";

const MARKER = `enc:${MARKER_KEY}`;
const WRITTEN = { written: Promise.resolve(), isWritten: () => true, replace: () => false };
const WEB = new URL("https://github.com");
const APP: GitHubApp = {
  name: "default",
  appId: 111,
  installationId: 222,
  signer: { sign: () => Promise.reject(new Error("nothing is signed here")) },
};
const ACCOUNT = { id: 1, login: OWNER, type: "Organization" };

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One process of the service, from the request to the calls it makes. */
export class Instance {
  readonly name: string;
  readonly witness: Witness;
  readonly line: StoreLine;
  #policy: PolicyIndex;
  /** When a generation was last put out of force, by its digest. */
  readonly #replacedAt = new Map<string, number>();
  /** Whether evidence of tokens made in the background can be left. */
  canAnnounce = true;
  /** Ids of purges that it has noticed. */
  readonly knows = new Set<string>();
  readonly #fetches = new Set<Fetch>();
  readonly #surroundings: Surroundings;
  readonly #clock: Clock;
  readonly #stack = new AsyncDisposableStack();
  #handle: ReturnType<typeof createRequestHandler> | undefined;

  constructor(name: string, policy: PolicyIndex, skewMs: number, surroundings: Surroundings) {
    this.name = name;
    this.#policy = policy;
    this.#surroundings = surroundings;
    this.#clock = surroundings.clock.skewed(skewMs);
    const { server, outside } = surroundings;
    this.witness = new Witness(name, outside, this.#clock, (key) => surroundings.putBack.has(key));
    const entry = (key: string, run: (key: string) => void) =>
      key.startsWith("enc:") && !key.endsWith("purged") ? run(key.slice(4)) : undefined;
    this.line = server.connect(name, {
      trouble: () => this.witness.troubled(),
      reads: (key) => entry(key, (one) => this.witness.reads(one)),
      answered: (key, sinceMs) => {
        if (key === MARKER) this.witness.readsMarker(sinceMs);
      },
      removes: (key) => entry(key, (one) => this.witness.removes(one)),
      got: (key, text) => entry(key, (one) => this.witness.got(one, text)),
    });
  }

  async start(): Promise<void> {
    const { connectKeysets, random } = this.#surroundings;
    const clock = this.#clock;
    const holder = await startKeysetHolder({
      store: connectKeysets(this.name),
      clock,
      jitter: random,
      observer: { changed: () => undefined, confirmed: () => undefined, refreshFailed: () => undefined },
    });
    const { currentAead } = this.#stack.use(holder);
    const form = createSealedForm({ keyPrefix: "", currentAead, clock, observer: { ciphered: () => undefined } });
    this.#handle = createRequestHandler(this.#services(this.#createVend(form)));
  }

  get policy(): PolicyIndex {
    return this.#policy;
  }

  publish(policy: PolicyIndex): void {
    this.#replacedAt.set(this.#digest, this.#surroundings.outside.next());
    this.#policy = policy;
  }

  async ask(pipeline: PipelineName, path: string, body?: string): Promise<Answer> {
    if (this.#handle === undefined) throw new Error("it has not started");
    const headers = { host: "bridge", authorization: `Bearer ${pipeline}` };
    const request = new Request(`http://bridge${path}`, {
      method: "POST",
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const response = await this.#handle(request, { peer: "", closeAfter: () => undefined });
    return { status: response.status, text: await response.text() };
  }

  /** As a process that is told to end: what it was asked is answered yet. */
  stop(): Promise<void> {
    return this.#stack.disposeAsync();
  }

  #createVend(form: EntryForm): Vend {
    const { outside, random, count } = this.#surroundings;
    let owners = 0;
    const newOwner = (): string => `${this.name}#${++owners}`;
    const clock = this.#clock;
    const purging = this.#stack.use(
      createPurging(
        { store: this.line.store, form },
        {
          clock,
          logger: {
            debug: () => undefined,
            info: () => undefined,
            error: () => count("unreadable marker"),
            warn: (_message, fields) => this.#noticed(fields),
          },
          audit: { revocation: () => WRITTEN },
          revoke: (token) => {
            this.witness.revokes(token);
            count("revocation");
            return outside.revokeToken(this.name, token);
          },
        },
      ),
    );
    const cache = watchCache(
      createCache<VendedToken, Refusal>({
        ttlMs: TTL_MS,
        maxStaleMs: MAX_STALE_MS,
        random,
        capacity: 100,
        callerVariedCapacity: 100,
        clock,
        observer: {
          operated: () => undefined,
          ciphered: () => undefined,
          unused: (why) => count(`unused: ${why}`),
          renewal: (outcome) => count(`renewal: ${outcome}`),
        },
        isOutage: isLapse,
        purges: purging.purges,
        shared: { store: purging.store, form, localTtlMs: LOCAL_TTL_MS, newOwner },
      }),
      {
        now: () => ({ at: outside.next(), ms: clock.monotonicMs() }),
        begins: (fetch) => this.#beginsToFetch(fetch),
        ends: (fetch, isForgotten, result, error) => {
          this.#fetches.delete(fetch);
          if (isForgotten) return count("forgotten");
          this.witness.fetched(
            fetch.key,
            fetch.isRenewal,
            result === "failed" ? (isLapse(error) ? "lapse" : "refused") : result,
          );
        },
        drops: (key) => this.witness.drops(key),
      },
    );
    purging.start(() => cache.purge());
    return this.#judged(cache);
  }

  #judged(cache: ReturnType<typeof watchCache>): Vend {
    const { outside, count } = this.#surroundings;
    const clock = this.#clock;
    const { name } = this;
    const pipelines = rememberPipelines({ read: (_organization, slug) => outside.readPipeline(name, slug) }, clock);
    const common = { pipelines, webUrl: WEB, clock };
    const recent = createRecentRequests(clock);
    const mintOn = (occasion: Occasion): Mint =>
      createMint({
        ...common,
        recent,
        connect: (request) => {
          const making = { request, occasion, since: outside.next() };
          return {
            account: () => ACCOUNT,
            createToken: (asked) =>
              outside.createToken(name, making, asked, (made) => this.witness.makes(making, made)),
            revokeToken: (token) => outside.revokeToken(name, token),
          };
        },
      });
    const mints = { miss: mintOn("miss"), mismatch: mintOn("mismatch"), renewal: mintOn("renewal") };
    const vend = createVend({
      ...common,
      cache,
      mint: (request, occasion) => mints[occasion](request, occasion),
      moved: createMovedPipelines(common),
      mayRenew: (request: AuthorizedRequest) => request.policyDigest === this.#digest,
      announce: () => (this.canAnnounce ? Promise.resolve() : Promise.reject(new BridgeError("output-failed", "no"))),
    });
    return (request, asked) => {
      const admitted = this.witness.admit(request, this.#digest);
      const outcome = vend(request, asked);
      const judge = (one: Awaited<typeof outcome>) => {
        count(one.kind === "vended" ? `vended: ${one.source}` : one.kind);
        this.witness.vended(admitted, one, asked);
        return one;
      };
      return outcome instanceof Promise ? outcome.then(judge) : judge(outcome);
    };
  }

  #services(vend: Vend): Services {
    return {
      verifier: { verify: (pipeline) => ({ kind: "authenticated", identity: identityOf(pipeline) }) },
      policy: () => ({ kind: "generation", generation: POLICIES[this.policy].generation }),
      apps: { find: () => APP, account: () => ACCOUNT },
      vend,
      audit: {
        request: () => WRITTEN,
        replaceRequest: () => false,
        mint: () => WRITTEN,
        revocation: () => WRITTEN,
        isOverfull: () => false,
        countUnrecorded: () => undefined,
      },
      auditParts: createAuditParts(),
      clock: this.#clock,
      newRequestId: () => "id",
      onUnexpected: (error) => {
        // A refusal by Buildkite is our fault and known.
        if (!isRefusal(error)) this.witness.accuse(`meets ${String(error)}`);
      },
      settings: {
        basePath: "",
        maxInFlight: 1000,
        trustedProxyHops: 0,
        discloseAppIdentifiers: false,
        gitHubWebUrl: WEB,
        protectedRepository: "policy",
      },
    };
  }

  #noticed(fields: Readonly<Record<string, unknown>> = {}): void {
    const { purges, outside, count } = this.#surroundings;
    const ids = Array.isArray(fields["purges"]) ? fields["purges"].map(({ id }) => String(id)) : [];
    for (const id of ids) {
      const purge = purges.get(id);
      this.knows.add(id);
      if (purge === undefined) return this.witness.accuse("notices a purge that nobody ordered");
      count("purge noticed");
      const latest = Math.floor(this.#clock.nowMs() / 1000) + 60;
      const issuedBeforeEpochSeconds = Math.min(purge.issuedBeforeEpochSeconds, latest);
      this.witness.purges.push({ scope: purge.scope, issuedBeforeEpochSeconds, at: outside.next() });
    }
  }

  #beginsToFetch(fetch: Fetch): void {
    const { server, count } = this.#surroundings;
    for (const other of this.#fetches)
      if (other.key === fetch.key && other.epoch === fetch.epoch)
        this.witness.accuse(`makes ${fetch.key} twice at once`);
    const [digest = ""] = fetch.key.split(":");
    if (fetch.isRenewal && digest !== this.#digest && (this.#replacedAt.get(digest) ?? 0) < fetch.since.at)
      this.witness.accuse("renews for a policy that is not in force");
    const owner = server.get(claimName(`enc:${fetch.key}`))?.split("#")[0];
    if (owner !== undefined && owner !== this.name) {
      count("fetches under another's claim");
      const waitedMs = this.#clock.monotonicMs() - fetch.since.ms;
      if (waitedMs < 2_000 && this.witness.troubleMs < fetch.since.ms)
        this.witness.accuse(`makes ${fetch.key} after ${waitedMs} ms, which ${owner} has claimed`);
    }
    this.#fetches.add(fetch);
  }

  get #digest(): string {
    return POLICIES[this.policy].generation.digest;
  }
}

function identityOf(slug: string): BuildkiteIdentity {
  return {
    issuer: "https://agent.buildkite.com",
    subject: "s",
    audience: ["a"],
    expiresAtEpochSeconds: 0,
    organizationSlug: "acme",
    pipelineSlug: slug,
    pipelineId: `id-of-${slug}`,
    buildNumber: 1,
    buildBranch: "main",
    jobId: "j",
    claims: new Map([["pipeline_slug", slug]]),
  };
}
