import type { Fetched } from "../../../src/cache/cache.ts";
import type { PurgeScope } from "../../../src/purge/purge-scope.ts";
import type { VendedToken } from "../../../src/token/vended-token.ts";
import type { AuthorizedRequest } from "../../../src/vending/authorize.ts";
import type { AskedRepository } from "../../../src/vending/coverage.ts";
import { cacheKey } from "../../../src/vending/cache-key.ts";
import type { Refusal } from "../../../src/vending/mint.ts";
import type { VendOutcome } from "../../../src/vending/vend.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import type { MadeToken, Making, Outside } from "./outside.ts";
import { LOCAL_TTL_MS, MAX_STALE_MS, TTL_MS } from "./lifetimes.ts";

/** A purge as an instance has noticed it. */
export interface NoticedPurge {
  readonly scope: PurgeScope;
  readonly issuedBeforeEpochSeconds: number;
  readonly at: number;
}

/** One request that was let in. */
export interface Admitted {
  readonly request: AuthorizedRequest;
  readonly key: string;
  readonly since: number;
  readonly sinceMs: number;
}

const LAST_MINUTES_MS = 5 * 60_000;
/** What is known of the marker may be half a minute old when a read begins. */
const MARKER_MS = 30_250;
/** While another one cannot be had. */
const SERVE_ON_MS = 10_000;
/** For calls under way while a time to live begins: a reply, and a write that arrives after its deadline. */
const UNDER_WAY_MS = 33_000;

/** What one instance has seen and done, held against what it may hand out. The first thing that is wrong is kept. */
export class Witness {
  readonly purges: NoticedPurge[] = [];
  violation: string | undefined;
  readonly #name: string;
  readonly #outside: Outside;
  readonly #clock: Clock;
  /** Tokens that somebody put back into the store: as old as GitHub lets them be. */
  readonly #isPutBack: (key: string) => boolean;
  /** Keys whose tokens of before were refused or dropped. */
  readonly #refusedSince = new Map<string, number>();
  /** When the store was last asked for a key, or a token made for it, or tried to be made. */
  readonly #confirmedMs = new Map<string, number>();
  #troubleMs = -Infinity;
  #markerMs = -Infinity;
  readonly #owed = new Set<string>();
  readonly #mayRemove = new Set<string>();

  constructor(name: string, outside: Outside, clock: Clock, isPutBack: (key: string) => boolean) {
    this.#name = name;
    this.#outside = outside;
    this.#clock = clock;
    this.#isPutBack = isPutBack;
  }

  accuse(what: string): void {
    this.violation ??= `${this.#name} ${what}`;
  }

  /** A request is let in under this policy. */
  admit(request: AuthorizedRequest, digestInForce: string): Admitted {
    if (request.policyDigest !== digestInForce) this.accuse("lets a request in by a policy that is not in force");
    return {
      request,
      key: cacheKey(request, "github.com").text,
      since: this.#outside.next(),
      sinceMs: this.#clock.monotonicMs(),
    };
  }

  vended({ request, key, since, sinceMs }: Admitted, outcome: VendOutcome, asked: AskedRepository | undefined): void {
    if (outcome.kind !== "vended") return;
    const made = this.#outside.tokens.get(outcome.token.token);
    if (made === undefined) return this.accuse("serves a token that GitHub never made");
    const where = `serves ${made.token} from ${outcome.source}`;
    if (made.digest !== request.policyDigest) this.accuse(`${where}, which was made under another policy`);
    if (made.key !== key) this.accuse(`${where}, which was made for ${made.key}`);
    if (asked !== undefined && request.profile.kind === "pipeline" && !made.repositories.includes(asked.name ?? ""))
      this.accuse(`${where}, which is not for the repository that git asked about`);
    if (this.#clock.nowMs() > made.expiresAtEpochSeconds * 1000 - LAST_MINUTES_MS)
      this.accuse(`${where} in its last five minutes`);
    const ageMs = this.#clock.monotonicMs() - made.atMs;
    if (ageMs > TTL_MS + MAX_STALE_MS + UNDER_WAY_MS && !this.#isPutBack(key))
      this.accuse(`${where}, ${ageMs / 60_000} minutes old`);
    if (outcome.source === "valkey" && this.#clock.monotonicMs() - this.#markerMs > MARKER_MS)
      this.accuse(`${where}, without having looked for purges`);
    const unreadMs = sinceMs - Math.max(this.#confirmedMs.get(key) ?? -Infinity, this.#troubleMs);
    if (outcome.source === "memory" && unreadMs > LOCAL_TTL_MS + SERVE_ON_MS)
      this.accuse(`${where}, which it has not read again for ${unreadMs / 60_000} minutes`);
    if (
      this.purges.some((purge) => this.#takesBack(purge, made) && !(outcome.source === "github" && made.at > purge.at))
    )
      this.accuse(`${where}, which a purge took back that it knows of`);
    const refusedAt = this.#refusedSince.get(key) ?? -1;
    if (made.at < refusedAt && since > refusedAt) this.accuse(`${where}, though it has been refused or dropped since`);
  }

  /** A token is made now. */
  makes(making: Making, { token, repositories }: MadeToken): void {
    const { profile } = making.request;
    if (profile.kind !== "pipeline") return;
    const [repository = ""] = repositories;
    if (!this.#outside.mayBeMadeFor(making, repository))
      this.accuse(`has ${token} made for ${repository} (${making.occasion}), where the pipeline is no longer`);
  }

  /** What a fetch for a key that was not forgotten meanwhile has come to. */
  fetched(key: string, isRenewal: boolean, result: Fetched<VendedToken, Refusal> | "refused" | "lapse"): void {
    if (result === "lapse") return void this.#confirmedMs.set(key, this.#clock.monotonicMs());
    if (result !== "refused" && result.kind === "value") return this.#made(key);
    this.ends(key);
    this.#mayRemove.add(key);
    if (isRenewal) this.#owed.add(key);
  }

  #made(key: string): void {
    this.#refusedSince.delete(key);
    this.#confirmedMs.set(key, this.#clock.monotonicMs());
  }

  /** Nothing that was made for the key before may be handed out to whoever asks from now on. */
  ends(key: string): void {
    this.#refusedSince.set(key, this.#outside.next());
  }

  drops(key: string): void {
    this.ends(key);
    this.#mayRemove.add(key);
    this.#owed.add(key);
  }

  readsMarker(sinceMs: number): void {
    this.#markerMs = sinceMs;
  }

  /** The store failed it. */
  troubled(): void {
    this.#troubleMs = this.#clock.monotonicMs();
  }

  get troubleMs(): number {
    return this.#troubleMs;
  }

  reads(key: string): void {
    this.#confirmedMs.set(key, this.#clock.monotonicMs());
    if (this.#owed.has(key)) this.accuse(`reads ${key}, which it was to remove first`);
  }

  removes(key: string): void {
    if (!this.#mayRemove.delete(key)) this.accuse(`removes ${key}, which nobody refused or dropped`);
    this.#owed.delete(key);
  }

  /** The store has brought something for the key: what is held of it may be what others put there. */
  got(key: string, text: string): void {
    this.#refusedSince.delete(key);
    if (!text.startsWith("cb-enc:")) this.#mayRemove.add(key);
  }

  revokes(token: string): void {
    const made = this.#outside.tokens.get(token);
    if (made === undefined || !this.purges.some((purge) => this.#takesBack(purge, made)))
      this.accuse(`revokes ${token}, which no purge that it knows of took back`);
  }

  settles(): void {
    for (const key of this.#owed) this.accuse(`never removes ${key} from the store`);
  }

  #takesBack({ scope, issuedBeforeEpochSeconds }: NoticedPurge, made: MadeToken): boolean {
    return made.expiresAtEpochSeconds - 3600 < issuedBeforeEpochSeconds && isMeant(scope, made.key);
  }
}

/** Said a second time, by the look of a key. */
function isMeant(scope: PurgeScope, key: string): boolean {
  switch (scope.kind) {
    case "all":
      return true;
    case "profile":
      return key.endsWith(`/profile/${scope.name}`);
    case "pipeline":
      return key.includes(`/pipeline/${scope.pipelineId}/`);
    case "app":
      return key.includes(`:${scope.appId}:${scope.installationId}:`);
  }
}
