import { rememberPipelines } from "../../../src/buildkite/remembered-pipelines.ts";
import type { Pipelines } from "../../../src/buildkite/pipelines.ts";
import { BridgeError } from "../../../src/lib/bridge-error.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { isRefusal } from "../../../src/lib/upstream-verdict.ts";
import type { BuildkiteIdentity } from "../../../src/oidc/buildkite-identity.ts";
import { createMint, type Mint, type Occasion } from "../../../src/vending/mint.ts";
import { createMovedPipelines, type MovedPipelines } from "../../../src/vending/moved-pipelines.ts";
import { createRecentRequests } from "../../../src/vending/recent-requests.ts";
import { createVend, type Vend, type VendOutcome } from "../../../src/vending/vend.ts";
import { ACCOUNT, keyOf, WEB } from "./handler.ts";
import type { Surroundings } from "./surroundings.ts";
import type { watchCache } from "./watched-cache.ts";
import type { Witness } from "./witness.ts";

export interface VendingParts {
  readonly name: string;
  readonly cache: ReturnType<typeof watchCache>;
  readonly witness: Witness;
  readonly clock: Clock;
  readonly digestInForce: () => string;
  readonly canAnnounce: () => boolean;
  readonly surroundings: Surroundings;
}

/** Vending as `app/` puts it together, every outcome shown to the witness. */
export function createWatchedVend(parts: VendingParts): Vend {
  const { name, cache, witness, clock, digestInForce, canAnnounce } = parts;
  const { outside, count } = parts.surroundings;
  const pipelines = rememberPipelines({ read: (_organization, slug) => outside.readPipeline(name, slug) }, clock);
  /** Of the policy under which somebody was let in: each request has an identity of its own. */
  const digestOf = new WeakMap<BuildkiteIdentity, string>();
  const vend = createVend({
    cache,
    mint: createMints(parts, pipelines),
    moved: watchMoves(parts, pipelines, digestOf),
    webUrl: WEB,
    clock,
    mayRenew: ({ policyDigest }) => policyDigest === digestInForce(),
    announce: () => (canAnnounce() ? Promise.resolve() : Promise.reject(new BridgeError("output-failed", "no"))),
  });
  return (request, asked) => {
    const admitted = witness.admit(request, digestInForce());
    digestOf.set(request.identity, request.policyDigest);
    const judge = (outcome: VendOutcome): VendOutcome => {
      count(outcome.kind === "vended" ? `vended: ${outcome.source}` : outcome.kind);
      witness.vended(admitted, outcome, asked);
      return outcome;
    };
    const outcome = vend(request, asked);
    return outcome instanceof Promise ? outcome.then(judge) : judge(outcome);
  };
}

/** One for each occasion, so that GitHub can tell what a token is made on. */
function createMints({ name, witness, clock, surroundings }: VendingParts, pipelines: Pipelines): Mint {
  const { outside } = surroundings;
  const recent = createRecentRequests(clock);
  const mintOn = (occasion: Occasion): Mint =>
    createMint({
      pipelines,
      webUrl: WEB,
      clock,
      recent,
      connect: (request) => {
        const making = { request, occasion, since: outside.next() };
        return {
          account: () => ACCOUNT,
          createToken: (asked) => outside.createToken(name, making, asked, (made) => witness.makes(making, made)),
          revokeToken: (token) => outside.revokeToken(name, token),
        };
      },
    });
  const mints = { miss: mintOn("miss"), mismatch: mintOn("mismatch"), renewal: mintOn("renewal") };
  return (request, occasion) => mints[occasion](request, occasion);
}

/** What is held for a pipeline that Buildkite refuses, when it is asked whether the pipeline has moved, must go. */
function watchMoves(
  { witness, clock }: VendingParts,
  pipelines: Pipelines,
  digestOf: WeakMap<BuildkiteIdentity, string>,
): MovedPipelines {
  /** Only the first of those who ask at once makes a call. */
  const asking = new Set<BuildkiteIdentity>();
  const moved = createMovedPipelines({
    webUrl: WEB,
    clock,
    pipelines: {
      read: (organization, slug, asker) =>
        pipelines.read(organization, slug, asker).catch((error: unknown) => {
          const identity = [...asking].find(({ pipelineSlug }) => pipelineSlug === slug);
          const digest = identity && digestOf.get(identity);
          if (isRefusal(error) && digest !== undefined) witness.ends(keyOf(digest, slug));
          throw error;
        }),
    },
  });
  return {
    hasMoved: async (identity, repositoryUrl) => {
      asking.add(identity);
      return moved.hasMoved(identity, repositoryUrl).finally(() => asking.delete(identity));
    },
  };
}
