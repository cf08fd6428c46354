import { describe, expect, test } from "bun:test";
import { availableParallelism } from "node:os";
import { runSeed } from "./support/run-seed.ts";
import { runSeeds } from "./support/run-seeds.ts";

const SEEDS = 10_000;
const MINUTES = 60_000;

/** What the runs must have met between them: a simulation in which nothing happens proves nothing. */
const MET = [
  "vended: memory",
  "vended: valkey",
  "vended: github",
  "denied",
  "another-repository",
  "forgotten",
  "fetches under another's claim",
  "purge noticed",
  "revocation",
  "renewal: renewed",
  "renewal: adopted",
  "renewal: outage",
  "renewal: refused",
  "renewal: failed",
  "unused: purged",
  "unused: not-decryptable",
  "unused: not-sealed",
  "unused: expiry",
  "unreadable marker",
  "status 403",
  "status 503",
] as const;

// Single flight, renewal, re-reading, invalidation, claims, purge, rotation of the keyset; two instances, restarted and cut off at will.
describe("two instances in a simulated world", () => {
  test(
    "serve nothing that is refused, over, of an older policy or purged, make nothing twice, and answer everybody, in 10,000 worlds",
    async () => {
      const { done, failure, counts } = await runSeeds({ from: 0, to: SEEDS, workers: availableParallelism() });
      if (failure !== undefined)
        throw new Error(`seed ${failure.seed}, again by: make simulate SEED=${failure.seed}\n${failure.wrong}`);
      expect(done).toBe(SEEDS);
      expect(MET.filter((what) => !counts.has(what))).toEqual([]);
    },
    5 * MINUTES,
  );

  test("live the same life again with the same seed", async () => {
    const met = await Promise.all(
      [1, 2].map(async () => {
        const counts = new Map<string, number>();
        for (let seed = 0; seed < 30; seed++) expect(await runSeed(seed, counts)).toBeUndefined();
        return counts;
      }),
    );
    expect(met[0]).toEqual(met[1]);
  });
});
