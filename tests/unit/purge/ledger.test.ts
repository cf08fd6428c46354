import { describe, expect, test } from "bun:test";
import { createPurgeLedger } from "../../../src/purge/ledger.ts";
import { PURGE_LASTS_MS, type Purge } from "../../../src/purge/marker.ts";
import type { PurgeScope } from "../../../src/purge/purge-scope.ts";
import { readCacheKey } from "../../../src/vending/cache-key.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const PIPELINE = "0190aaaa-0000-4000-8000-000000000001";
const WIDGET = `d:111:222:profile://organization/acme/pipeline/${PIPELINE}/widget/profile/release`;
const SHARED = "d:333:444:profile://organization/acme/profile/release";
const SCOPED = "d:333:444:profile://organization/acme/profile/plugins/repository/widget";

function world() {
  const clock = createFixedClock();
  const now = (): number => clock.nowMs() / 1000;
  let made = 0;
  const purge = (scope: PurgeScope = { kind: "all" }, before = now() + 1): Purge => ({
    id: `id-${++made}`,
    scope,
    issuedBeforeEpochSeconds: before,
  });
  return { clock, now, purge, ledger: createPurgeLedger(readCacheKey, clock) };
}

describe("a purge", () => {
  test("takes back what was made before its second, and nothing made later", () => {
    const { ledger, purge, now } = world();
    expect(ledger.isPurged(WIDGET, 0)).toBeFalse();
    ledger.learn([purge()]);
    expect([-3600, 0, 1, 2].map((seconds) => ledger.isPurged(WIDGET, now() + seconds))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test.each<[string, PurgeScope, readonly string[]]>([
    ["everything", { kind: "all" }, [WIDGET, SHARED, SCOPED]],
    ["profiles of a name", { kind: "profile", name: "release" }, [WIDGET, SHARED]],
    ["one kind's profile", { kind: "profile", name: "release", profileKind: "pipeline" }, [WIDGET]],
    ["every repository of a caller-scoped profile", { kind: "profile", name: "plugins" }, [SCOPED]],
    ["a profile with the case as it is written", { kind: "profile", name: "Release" }, []],
    ["a pipeline", { kind: "pipeline", pipelineId: PIPELINE }, [WIDGET]],
    ["an App on its installation", { kind: "app", appId: 333, installationId: 444 }, [SHARED, SCOPED]],
    ["no App on another installation", { kind: "app", appId: 333, installationId: 222 }, []],
  ])("reaches %s", (_what, scope, reached) => {
    const { ledger, purge, now } = world();
    ledger.learn([purge(scope)]);
    expect([WIDGET, SHARED, SCOPED].filter((key) => ledger.isPurged(key, now()))).toEqual([...reached]);
  });

  test("reaches a key that tells nothing, whatever its scope", () => {
    const { ledger, purge, now } = world();
    ledger.learn([purge({ kind: "pipeline", pipelineId: PIPELINE })]);
    expect(ledger.isPurged("no such key", now())).toBeTrue();
  });

  test("is new once", () => {
    const { ledger, purge } = world();
    const [first, second] = [purge(), purge()];
    expect(ledger.learn([first])).toEqual([first]);
    expect(ledger.learn([first, second])).toEqual([second]);
    expect(ledger.learn([first])).toEqual([]);
  });
});

describe("the highest purge seen", () => {
  test.each<[string, (old: Purge) => readonly Purge[]]>([
    ["an absent marker", () => []],
    ["an older marker that somebody put back", (old) => [old]],
  ])("stands against %s", (_what, later) => {
    const { ledger, purge, now } = world();
    const old = purge({ kind: "all" }, now() - 600);
    ledger.learn([old, purge()]);
    ledger.learn(later(old));
    expect(ledger.isPurged(WIDGET, now())).toBeTrue();
  });

  test("is forgotten when all that it takes back has ended and no marker names it", () => {
    const { ledger, purge, now, clock } = world();
    const one = purge();
    ledger.learn([one]);
    const issued = now();
    clock.advance(PURGE_LASTS_MS + 1_000);
    expect(ledger.learn([one])).toEqual([]);
    expect(ledger.isPurged(WIDGET, issued)).toBeTrue();
    ledger.learn([]);
    expect(ledger.isPurged(WIDGET, issued)).toBeFalse();
    expect(ledger.learn([one])).toEqual([]);
  });
});

describe("a purge from the future", () => {
  // A clock that is hours ahead would keep every token out of the cache for hours.
  test("counts as a minute ahead at most, from when it was first seen", () => {
    const { ledger, purge, now, clock } = world();
    const odd = purge({ kind: "all" }, now() + 24 * 3600);
    ledger.learn([odd]);
    const seenAt = now();
    clock.advance(3_600_000);
    ledger.learn([odd]);
    expect(ledger.isPurged(WIDGET, seenAt + 59)).toBeTrue();
    expect(ledger.isPurged(WIDGET, seenAt + 60)).toBeFalse();
    expect(ledger.isPurged(WIDGET, now())).toBeFalse();
  });

  test("does not hide one that is ordered later", () => {
    const { ledger, purge, now, clock } = world();
    const odd = purge({ kind: "all" }, now() + 24 * 3600);
    ledger.learn([odd]);
    clock.advance(600_000);
    ledger.learn([odd, purge()]);
    expect(ledger.isPurged(WIDGET, now())).toBeTrue();
  });
});

test("more purges than anyone orders become one of everything, and stay bounded", () => {
  const { ledger, purge, now } = world();
  for (let round = 0; round < 20; round++)
    ledger.learn(
      Array.from({ length: 100 }, (_none, index) => purge({ kind: "pipeline", pipelineId: `${round}-${index}` })),
    );
  expect(ledger.isPurged(SHARED, now())).toBeTrue();
  expect(ledger.isPurged(SHARED, now() + 1)).toBeFalse();
});
