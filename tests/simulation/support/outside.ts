import type { Pipeline } from "../../../src/buildkite/pipelines.ts";
import type { Grant, TokenRequest } from "../../../src/github/installation-tokens.ts";
import { UpstreamFault, type Upstream } from "../../../src/lib/upstream-fault.ts";
import type { AuthorizedRequest } from "../../../src/vending/authorize.ts";
import { cacheKey } from "../../../src/vending/cache-key.ts";
import type { Occasion } from "../../../src/vending/mint.ts";
import type { Network } from "./network.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export const OWNER = "acme";
export type Condition = "up" | "away" | "hangs";

/** A token with all that the simulation knows of it. */
export interface MadeToken {
  readonly token: string;
  /** Its place among all events. */
  readonly at: number;
  readonly atMs: number;
  readonly key: string;
  readonly digest: string;
  readonly repositories: readonly string[];
  readonly permissions: Readonly<Record<string, string>>;
  readonly expiresAtEpochSeconds: number;
}

/** One try to make a token. */
export interface Making {
  readonly request: AuthorizedRequest;
  readonly occasion: Occasion;
  readonly since: number;
}

interface Residence {
  readonly repository: string;
  readonly since: number;
  readonly sinceMs: number;
}

const DEADLINE_MS = 10_000;
const REMEMBERED_MS = 15 * 60_000 + 2 * DEADLINE_MS + 10_000;

/** GitHub and Buildkite, and who is refused there. */
export class Outside {
  readonly condition: Record<"github" | "buildkite", Condition> = { github: "up", buildkite: "up" };
  /** Pipelines that an upstream refuses; GitHub also the organization's tokens. */
  readonly refused: Record<"github" | "buildkite", Set<string>> = { github: new Set(), buildkite: new Set() };
  readonly tokens = new Map<string, MadeToken>();
  readonly revoked = new Set<string>();
  readonly #residences = new Map<string, Residence[]>();
  readonly #network: Network;
  readonly #clock: SimulatedClock;
  #events = 0;

  constructor(network: Network, clock: SimulatedClock) {
    this.#network = network;
    this.#clock = clock;
  }

  /** The number of the next event: what happens later has a higher one, though time stands still. */
  next(): number {
    return ++this.#events;
  }

  move(pipeline: string, repository: string): void {
    const list = this.#residences.getOrInsertComputed(pipeline, () => []);
    list.push({ repository, since: this.next(), sinceMs: this.#clock.monotonicMs() });
  }

  repositoryOf(pipeline: string): string {
    return this.#residences.get(pipeline)?.at(-1)?.repository ?? pipeline;
  }

  /** Whether it was the pipeline's when a fresh answer can have said so, or as long ago as an old answer may be used. */
  mayBeMadeFor({ request, occasion, since }: Making, repository: string): boolean {
    const list = this.#residences.get(request.identity.pipelineSlug) ?? [];
    const oldestMs = this.#clock.monotonicMs() - REMEMBERED_MS;
    const from = list.findLastIndex((one) => (occasion === "miss" ? one.sinceMs <= oldestMs : one.since <= since));
    return list.slice(Math.max(0, from)).some((one) => one.repository === repository);
  }

  readPipeline(asker: string, slug: string): Promise<Pipeline> {
    return this.#ask("buildkite", `${asker}: read pipeline ${slug}`, slug, () => ({
      id: `id-of-${slug}`,
      repository: `git@github.com:${OWNER}/${this.repositoryOf(slug)}.git`,
    }));
  }

  createToken(asker: string, making: Making, asked: TokenRequest, made: (token: MadeToken) => void): Promise<Grant> {
    const { request } = making;
    const whose = request.profile.kind === "pipeline" ? request.identity.pipelineSlug : "organization";
    const key = cacheKey(request, "github.com").text;
    return this.#ask("github", `${asker}: make token for ${whose} (${making.occasion})`, whose, () => {
      const names = asked.repositories.kind === "all" ? [] : asked.repositories.names;
      const token: MadeToken = {
        token: `ghs_${this.tokens.size + 1}`,
        at: this.next(),
        atMs: this.#clock.monotonicMs(),
        key,
        digest: request.policyDigest,
        repositories: names,
        permissions: asked.permissions,
        expiresAtEpochSeconds: Math.floor(this.#clock.nowMs() / 1000) + 3600,
      };
      this.tokens.set(token.token, token);
      made(token);
      return {
        ...token,
        selection: "selected",
        repositories: names.map((name) => ({ owner: OWNER, name })),
      } as const;
    });
  }

  revokeToken(asker: string, token: string): Promise<void> {
    return this.#ask("github", `${asker}: revoke ${token}`, "", () => void this.revoked.add(token));
  }

  #ask<Result>(upstream: "github" | "buildkite", label: string, whose: string, serve: () => Result): Promise<Result> {
    return this.#network.call<Result>({
      label,
      deadlineMs: DEADLINE_MS,
      serve: () => {
        const condition = this.condition[upstream];
        if (condition === "hangs") return "no answer";
        if (condition === "away") throw away(upstream, label);
        if (this.refused[upstream].has(whose))
          throw new UpstreamFault("upstream-refused", label, { upstream, status: 404 });
        return serve();
      },
      tooLate: () => {
        throw away(upstream, label);
      },
    });
  }
}

function away(upstream: Upstream, operation: string): UpstreamFault {
  return new UpstreamFault("upstream-unavailable", operation, { upstream, status: 503 });
}
