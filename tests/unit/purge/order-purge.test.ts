import { describe, expect, test } from "bun:test";
import { createClearForm } from "../../../src/cache/entry-form.ts";
import { claimName } from "../../../src/cache/turn.ts";
import { MARKER_KEY, MOST_PURGES, parseMarker, PURGE_LASTS_MS, type Purge } from "../../../src/purge/marker.ts";
import { orderPurge } from "../../../src/purge/order-purge.ts";
import type { PurgeScope } from "../../../src/purge/purge-scope.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";

function world() {
  const clock = createFixedClock();
  const store = createMemoryEntryStore(clock);
  const purge = (scope: PurgeScope): Purge => ({
    id: crypto.randomUUID(),
    scope,
    issuedBeforeEpochSeconds: clock.nowMs() / 1000 + 1,
  });
  const order = (one: Purge) =>
    orderPurge(one, { store, form: createClearForm(""), clock, owner: crypto.randomUUID() });
  const stored = () => parseMarker(store.text(MARKER_KEY) ?? "");
  return { clock, store, purge, order, stored };
}

const pipeline = (pipelineId: string): PurgeScope => ({ kind: "pipeline", pipelineId });

describe("ordering a purge", () => {
  test("keeps the purges of the last hour beside it, for two hours, and gives its claim back", async () => {
    const { store, purge, order, stored } = world();
    const [first, second] = [purge(pipeline("a")), purge(pipeline("b"))];
    expect(await order(first)).toEqual({ kind: "ordered" });
    expect(await order(second)).toEqual({ kind: "ordered" });
    expect(stored()).toEqual([first, second]);
    expect(store.commands).toContain(`write ${MARKER_KEY} 7200`);
    expect(store.text(claimName(MARKER_KEY))).toBeUndefined();
  });

  test("takes out what it covers, and what has ended", async () => {
    const { clock, purge, order, stored } = world();
    await order(purge(pipeline("a")));
    const again = purge(pipeline("a"));
    await order(again);
    expect(stored()).toEqual([again]);
    const all = purge({ kind: "all" });
    await order(all);
    expect(stored()).toEqual([all]);
    clock.advance(PURGE_LASTS_MS + 1_000);
    const late = purge(pipeline("b"));
    await order(late);
    expect(stored()).toEqual([late]);
  });

  test("leaves a later one of everything where it is", async () => {
    const { purge, order, stored } = world();
    const ahead = { ...purge({ kind: "all" }), issuedBeforeEpochSeconds: 2_000_000_000 };
    await order(ahead);
    const now = purge({ kind: "all" });
    await order(now);
    expect(stored()).toEqual([ahead, now]);
  });

  test("loses none of several that are ordered at once", async () => {
    const { clock, purge, order, stored } = world();
    const purges = Array.from({ length: 5 }, (_none, index) => purge(pipeline(`p${index}`)));
    const ordering = Promise.all(purges.map(order));
    await clock.advanceAndSettle(10_000);
    expect(await ordering).toEqual(purges.map(() => ({ kind: "ordered" })));
    expect(new Set(stored()?.map(({ id }) => id))).toEqual(new Set(purges.map(({ id }) => id)));
  });

  test("says when a marker was there that nobody can read, and replaces it", async () => {
    const { store, purge, order, stored } = world();
    store.put(MARKER_KEY, "{}");
    const one = purge({ kind: "all" });
    expect(await order(one)).toEqual({ kind: "ordered", replaced: "malformed" });
    expect(stored()).toEqual([one]);
  });

  test.each([
    ["the store is away", "unavailable"],
    ["somebody else is at it for long", "busy"],
    ["there are too many", "full"],
  ] as const)("gives up, and changes nothing, when %s", async (_what, kind) => {
    const { clock, store, purge, order, stored } = world();
    if (kind === "unavailable") store.down = true;
    if (kind === "busy") store.put(claimName(MARKER_KEY), "another");
    if (kind === "full") for (let index = 0; index < MOST_PURGES; index++) await order(purge(pipeline(`p${index}`)));
    const before = stored();
    const ordering = order(purge(pipeline("late")));
    await clock.advanceAndSettle(20_000);
    expect(await ordering).toEqual({ kind });
    expect(stored()).toEqual(before);
  });
});
