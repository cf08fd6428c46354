import { describe, expect, test } from "bun:test";
import { createClearForm, createSealedForm } from "../../../src/cache/entry-form.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { guardReads } from "../../../src/purge/guarded-store.ts";
import { createPurgeLedger } from "../../../src/purge/ledger.ts";
import { MARKER_KEY, renderMarker, type Purge } from "../../../src/purge/marker.ts";
import { createPurgeWatch } from "../../../src/purge/watch.ts";
import { createAead } from "../../../src/tink/create-aead.ts";
import { createKeyset } from "../../../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";

const ID = "0190aaaa-0000-4000-8000-000000000001";
const NAME = `enc:${MARKER_KEY}`;

function world() {
  const clock = createFixedClock();
  const store = createMemoryEntryStore(clock);
  const aead = createAead(createKeyset(findTemplate(DEFAULT_TEMPLATE), systemRandom));
  const form = createSealedForm({
    keyPrefix: "",
    currentAead: () => aead,
    clock,
    observer: { ciphered: () => undefined },
  });
  const ledger = createPurgeLedger(() => undefined, clock);
  const noticed: string[] = [];
  const unreadable: (string | undefined)[] = [];
  const observer = {
    noticed: (purges: readonly Purge[]) => void noticed.push(...purges.map(({ id }) => id)),
    unreadable: (why: string | undefined) => void unreadable.push(why),
  };
  const watch = createPurgeWatch({ store, form, ledger, clock, observer });
  const purge: Purge = { id: ID, scope: { kind: "all" }, issuedBeforeEpochSeconds: clock.nowMs() / 1000 + 1 };
  const put = (purges: readonly Purge[] = [purge]) => store.put(NAME, form.seal(MARKER_KEY, renderMarker(purges)));
  const isPurged = () => ledger.isPurged("key", purge.issuedBeforeEpochSeconds - 1);
  return { clock, store, form, watch, noticed, unreadable, put, isPurged, purge };
}

describe("the marker", () => {
  test("is looked at when the watch starts and every ten seconds, with one command", async () => {
    const { clock, store, watch } = world();
    watch.start();
    await clock.advanceAndSettle(0);
    expect(store.commands).toEqual([`read ${NAME}`]);
    await clock.advanceAndSettle(60_000);
    expect(store.commands).toHaveLength(7);
    watch[Symbol.dispose]();
    await clock.advanceAndSettle(60_000);
    expect(store.commands).toHaveLength(7);
  });

  test("takes effect within ten seconds, and its absence later changes nothing", async () => {
    const { clock, store, watch, put, noticed, isPurged } = world();
    watch.start();
    await clock.advanceAndSettle(1);
    put();
    await clock.advanceAndSettle(10_000);
    expect(noticed).toEqual([ID]);
    store.delete(NAME);
    await clock.advanceAndSettle(30_000);
    expect({ noticed, purged: isPurged() }).toEqual({ noticed: [ID], purged: true });
  });

  test("is looked at on while the store is away, without end", async () => {
    const { clock, store, watch, put, noticed } = world();
    store.down = true;
    watch.start();
    await clock.advanceAndSettle(600_000);
    put();
    store.down = false;
    await clock.advanceAndSettle(10_000);
    expect(noticed).toEqual([ID]);
  });

  const rejected: readonly [string, (w: ReturnType<typeof world>) => void, string][] = [
    ["in clear where it must be sealed", ({ store, purge }) => store.put(NAME, renderMarker([purge])), "not-sealed"],
    [
      "an entry's ciphertext under its name",
      ({ store, form, purge }) => store.put(NAME, form.seal("entry", renderMarker([purge]))),
      "not-decryptable",
    ],
    [
      "under a key that is not loaded",
      ({ store, purge }) => store.put(NAME, world().form.seal(MARKER_KEY, renderMarker([purge]))),
      "not-decryptable",
    ],
    ["broken base64", ({ store }) => store.put(NAME, "cb-enc:A"), "broken-base64"],
    ["sealed, and no marker", ({ store, form }) => store.put(NAME, form.seal(MARKER_KEY, "{}")), "malformed"],
    ["sealed, and no text", ({ store, form }) => store.put(NAME, form.seal(MARKER_KEY, "\u{d800}x")), "malformed"],
    ["larger than anything of ours", ({ store }) => store.put(NAME, new Uint8Array(256 * 1024 + 1)), "too-large"],
    ["a list", ({ store }) => store.putList(NAME), "wrong-type"],
  ];
  test.each(rejected)("changes nothing when it is %s, and that is told once", async (_what, spoil, why) => {
    const made = world();
    spoil(made);
    made.watch.start();
    await made.clock.advanceAndSettle(60_000);
    expect({ noticed: made.noticed, purged: made.isPurged() }).toEqual({ noticed: [], purged: false });
    expect(made.unreadable).toEqual([why]);
    // Whoever can spoil it can delete it: it stops nobody from using the store.
    expect(await made.watch.isCurrent({ leftMs: 250 })).toBeTrue();
  });

  test("that can be read again is told, and takes effect", async () => {
    const { clock, store, watch, put, noticed, unreadable } = world();
    store.put(NAME, "cb-enc:A");
    watch.start();
    await clock.advanceAndSettle(0);
    put();
    await clock.advanceAndSettle(10_000);
    expect({ unreadable, noticed }).toEqual({ unreadable: ["broken-base64", undefined], noticed: [ID] });
  });

  test("in clear is read in clear, behind the prefix", async () => {
    const { clock, store, purge } = world();
    const ledger = createPurgeLedger(() => undefined, clock);
    const observer = { noticed: () => undefined, unreadable: () => undefined };
    const watch = createPurgeWatch({ store, form: createClearForm("blue:"), ledger, clock, observer });
    store.put(`blue:${MARKER_KEY}`, renderMarker([purge]));
    watch.start();
    await clock.advanceAndSettle(0);
    expect(ledger.isPurged("key", 0)).toBeTrue();
  });
});

describe("an entry of the store", () => {
  // An instance that has just started, or comes back to the store, has not heard of the purge: the old ciphertext must wait for it.
  test("is not to be had before the marker has been read", async () => {
    const { store, watch, put, noticed } = world();
    const guarded = guardReads(store, watch);
    put();
    store.put("entry", "text");
    expect((await guarded.read("entry")).kind).toBe("hit");
    expect(noticed).toEqual([ID]);
    expect(store.commands).toEqual([`read ${NAME}`, "read entry"]);
  });

  test("costs one command while the marker is known, and the marker comes first after 30 seconds without it", async () => {
    const { clock, store, watch } = world();
    const guarded = guardReads(store, watch);
    await guarded.read("entry");
    clock.advance(29_999);
    await guarded.read("entry");
    clock.advance(1);
    await guarded.read("entry");
    expect(store.commands).toEqual([`read ${NAME}`, "read entry", "read entry", `read ${NAME}`, "read entry"]);
  });

  test("is unavailable while the marker is, within one budget", async () => {
    const { clock, store, watch } = world();
    const guarded = guardReads(store, watch);
    store.down = true;
    expect(await guarded.read("entry")).toEqual({ kind: "unavailable" });
    store.down = false;
    store.latencyMs = 200;
    const budget = { leftMs: 250 };
    const reading = guarded.read("entry", budget);
    await clock.advanceAndSettle(250);
    expect(await reading).toEqual({ kind: "unavailable" });
    expect(budget.leftMs).toBe(0);
  });
});
