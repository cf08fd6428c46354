import { isLapse } from "../../../src/app/cache.ts";
import { createPurging, type Purging } from "../../../src/app/purge.ts";
import { createCache } from "../../../src/cache/create-cache.ts";
import { createSealedForm, type EntryForm } from "../../../src/cache/entry-form.ts";
import { claimName } from "../../../src/cache/turn.ts";
import type { RequestHandler } from "../../../src/http/request-handler.ts";
import { startKeysetHolder } from "../../../src/keyset/keyset-holder.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { isRefusal } from "../../../src/lib/upstream-verdict.ts";
import { MARKER_KEY } from "../../../src/purge/marker.ts";
import type { VendedToken } from "../../../src/token/vended-token.ts";
import type { Refusal } from "../../../src/vending/mint.ts";
import type { Vend } from "../../../src/vending/vend.ts";
import { SILENT_AUDIT } from "../../support/plain-http.ts";
import { createHandler } from "./handler.ts";
import { LOCAL_TTL_MS, MAX_STALE_MS, TTL_MS } from "./lifetimes.ts";
import { POLICIES, type PipelineName, type PolicyIndex } from "./policies.ts";
import type { StoreLine } from "./shared-server.ts";
import type { Surroundings } from "./surroundings.ts";
import { createWatchedVend } from "./vending.ts";
import { watchCache, type Fetch } from "./watched-cache.ts";
import { Witness } from "./witness.ts";

const MARKER = `enc:${MARKER_KEY}`;

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
  #handle: RequestHandler | undefined;

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
    this.#handle = createHandler({
      vend: this.#createVend(form),
      policy: () => POLICIES[this.#policy].generation,
      clock,
      onUnexpected: (error) => {
        // A refusal by Buildkite is our fault and known.
        if (!isRefusal(error)) this.witness.accuse(`meets ${String(error)}`);
      },
    });
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
    const purging = this.#stack.use(this.#createPurging(form));
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
    const { name, witness } = this;
    return createWatchedVend({
      name,
      cache,
      witness,
      clock,
      digestInForce: () => this.#digest,
      canAnnounce: () => this.canAnnounce,
      surroundings: this.#surroundings,
    });
  }

  #createPurging(form: EntryForm): Purging {
    const { outside, count } = this.#surroundings;
    return createPurging(
      { store: this.line.store, form },
      {
        clock: this.#clock,
        logger: {
          debug: () => undefined,
          info: () => undefined,
          error: () => count("unreadable marker"),
          warn: (_message, fields) => this.#noticed(fields),
        },
        audit: SILENT_AUDIT,
        revoke: (token) => {
          this.witness.revokes(token);
          count("revocation");
          return outside.revokeToken(this.name, token);
        },
      },
    );
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
