import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { createPolicyStore } from "../../../src/profiles/policy-store.ts";
import type { ProfileFileReply, ProfileFileRequest } from "../../../src/profiles/profile-file-source.ts";
import type { RefreshOutcome } from "../../../src/profiles/refresh-once.ts";
import {
  createPolicyRefresher,
  REFRESH_EVERY_MS,
  START_RETRY_MS,
  type RefreshTrigger,
} from "../../../src/profiles/refresh.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const GOOD = "pipeline:\n  defaults:\n    permissions: [contents:read]\n";
const OTHER = "pipeline:\n  defaults:\n    permissions: [contents:write]\n  profiles:\n    - {name: a}\n";
const HOUR_MS = 3_600_000;

type Answer = ProfileFileReply | Error | (() => Promise<ProfileFileReply>);

const file = (text: string, etag?: string): ProfileFileReply => ({
  kind: "file",
  bytes: new TextEncoder().encode(text),
  ...(etag === undefined ? {} : { etag }),
});
const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

/** A refresher over a source that gives its answers in turn, the last one for ever. */
function createWorld(...answers: Answer[]) {
  const clock = createFixedClock();
  const store = createPolicyStore({ clock, maxStaleMs: 24 * HOUR_MS });
  const asked: (string | undefined)[] = [];
  const seen: (readonly [RefreshTrigger, RefreshOutcome])[] = [];
  let changed: (() => void) | undefined;
  const fetch = async ({ previousEtag }: ProfileFileRequest): Promise<ProfileFileReply> => {
    asked.push(previousEtag);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined) throw new Error("no answer");
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer() : answer;
  };
  const refresher = createPolicyRefresher({
    clock,
    store,
    isAppUsable: () => true,
    observe: (outcome, trigger) => void seen.push([trigger, outcome]),
    source: {
      fetch,
      watch: (run) => {
        changed = run;
        return () => (changed = undefined);
      },
    },
  });
  return { clock, store, asked, seen, refresher, change: () => changed?.(), isWatched: () => changed !== undefined };
}

const signal = new AbortController().signal;

describe("the start-up gate", () => {
  test("opens when a policy is in force, trying every five seconds until then", async () => {
    const world = createWorld(new Error("github: read profile file"), file("- no\n"), file(GOOD));
    let open = false;
    const loaded = world.refresher.load(signal).then(() => (open = true));
    await world.clock.advanceAndSettle(START_RETRY_MS - 1);
    expect({ tries: world.asked.length, open, policy: world.store.read().kind }).toEqual({
      tries: 1,
      open: false,
      policy: "none",
    });
    await world.clock.advanceAndSettle(1);
    expect({ tries: world.asked.length, open }).toEqual({ tries: 2, open: false });
    await world.clock.advanceAndSettle(START_RETRY_MS);
    await loaded;
    expect(world.store.read()).toMatchObject({ kind: "in-force", generation: { digest: digestOf(GOOD) } });
    expect(world.seen.map(([trigger, { kind }]) => `${trigger} ${kind}`)).toEqual([
      "start failed",
      "start failed",
      "start refreshed",
    ]);
    expect(world.seen[0]?.[1]).toEqual({ kind: "failed", cause: "unreadable", message: "github: read profile file" });
    expect(world.seen[1]?.[1]).toMatchObject({
      kind: "failed",
      cause: "refused",
      findings: [{ code: "wrong-type", line: 1 }],
    });
  });

  test("an abort ends the wait at once, while waiting and while reading", async () => {
    for (const answer of [new Error("down"), () => new Promise<never>(() => undefined)]) {
      const world = createWorld(answer);
      const stop = new AbortController();
      const loaded = world.refresher.load(stop.signal).catch((error: unknown) => error);
      await world.clock.advanceAndSettle(1);
      stop.abort(new Error("SIGTERM"));
      expect(await loaded).toEqual(new Error("SIGTERM"));
      expect(world.clock.pending()).toBe(0);
    }
  });
});

describe("refreshing", () => {
  test("happens every five minutes, with the ETag of the generation in force", async () => {
    const world = createWorld(file(GOOD, '"1"'), { kind: "unchanged" });
    await world.refresher.load(signal);
    world.refresher.start();
    await world.clock.advanceAndSettle(2 * REFRESH_EVERY_MS);
    expect(world.asked).toEqual([undefined, '"1"', '"1"']);
    expect(world.seen.map(([trigger, { kind }]) => `${trigger} ${kind}`)).toEqual([
      "start refreshed",
      "interval refreshed",
      "interval refreshed",
    ]);
    await world.refresher[Symbol.asyncDispose]();
    expect(world.clock.pending()).toBe(0);
    expect(world.isWatched()).toBe(false);
  });

  test("that changes nothing keeps the very generation, with the newer ETag", async () => {
    const world = createWorld(file(GOOD, '"1"'), file(GOOD, '"2"'), { kind: "unchanged" });
    await world.refresher.refreshNow();
    const before = world.store.inForce()?.policy;
    await world.refresher.refreshNow();
    expect(world.store.inForce()?.policy).toBe(before);
    await world.refresher.refreshNow();
    expect(world.asked).toEqual([undefined, '"1"', '"2"']);
    expect(world.store.inForce()?.policy).toBe(before);
  });

  test("puts a changed file in force and tells what is wrong with it", async () => {
    const world = createWorld(file(GOOD), file(OTHER));
    await world.refresher.refreshNow();
    expect(await world.refresher.refreshNow()).toMatchObject({
      kind: "refreshed",
      previousDigest: digestOf(GOOD),
      digest: digestOf(OTHER),
      inspection: {
        invalid: [{ label: "repo:a", at: { line: 5, column: 7 }, reasons: [expect.stringContaining("permissions")] }],
      },
      losses: [],
    });
    expect(world.store.read()).toMatchObject({ generation: { digest: digestOf(OTHER) } });
  });

  // A refused file must be read in full again: with its ETag the next refresh would find it unchanged.
  test("that fails keeps the generation and its ETag", async () => {
    const world = createWorld(file(GOOD, '"1"'), file("- no\n", '"2"'), new Error("down"), { kind: "unchanged" });
    await world.refresher.refreshNow();
    for (const cause of ["refused", "unreadable"]) {
      expect(await world.refresher.refreshNow()).toMatchObject({ kind: "failed", cause });
      expect(world.store.read()).toMatchObject({ kind: "in-force", generation: { digest: digestOf(GOOD) } });
    }
    await world.refresher.refreshNow();
    expect(world.asked).toEqual([undefined, '"1"', '"1"', '"1"']);
  });

  test("repeats what is invalid at every refresh, changed or not", async () => {
    const world = createWorld(file(OTHER, '"1"'), { kind: "unchanged" });
    for (let round = 0; round < 3; round++) {
      expect(await world.refresher.refreshNow()).toMatchObject({ inspection: { invalid: [{ label: "repo:a" }] } });
    }
  });

  test("refuses an 'unchanged' that nobody asked for", async () => {
    const world = createWorld({ kind: "unchanged" });
    expect(await world.refresher.refreshNow()).toMatchObject({ kind: "failed", cause: "unreadable" });
    expect(world.store.read()).toEqual({ kind: "none" });
  });

  test.each([
    [OTHER, "", ["turned-empty", "lost-defaults"]],
    [OTHER, "pipeline:\n  profiles:\n    - {name: a}\n", ["lost-defaults"]],
    ["pipeline:\n  profiles:\n    - {name: a}\n", "# gone\n", ["turned-empty"]],
    ["", "", []],
    ["", OTHER, []],
  ] as const)("from %j to %j loses %j", async (before, after, losses) => {
    const world = createWorld(file(before), file(after));
    expect(await world.refresher.refreshNow()).toMatchObject({ losses: [] });
    expect(await world.refresher.refreshNow()).toMatchObject({ losses: [...losses] });
  });

  test("happens when the source sees a change", async () => {
    const world = createWorld(file(GOOD), file(OTHER));
    await world.refresher.load(signal);
    world.refresher.start();
    world.change();
    await world.clock.advanceAndSettle(1);
    expect(world.seen.map(([trigger]) => trigger)).toEqual(["start", "change"]);
    expect(world.store.read()).toMatchObject({ generation: { digest: digestOf(OTHER) } });
  });

  test("asked for during a refresh happens once more after it, however often it was asked for", async () => {
    const slow = Promise.withResolvers<ProfileFileReply>();
    const world = createWorld(() => slow.promise, file(OTHER));
    const first = world.refresher.refreshNow();
    const later = [world.refresher.refreshNow(), world.refresher.refreshNow(), world.refresher.refreshNow()];
    slow.resolve(file(GOOD));
    expect(await first).toMatchObject({ digest: digestOf(GOOD) });
    for (const outcome of await Promise.all(later)) expect(outcome).toMatchObject({ digest: digestOf(OTHER) });
    expect(world.asked).toHaveLength(2);
  });

  test("that hangs does not keep the service from ending, and puts nothing in force afterwards", async () => {
    const hanging = Promise.withResolvers<ProfileFileReply>();
    const world = createWorld(() => hanging.promise);
    void world.refresher.refreshNow();
    await world.refresher[Symbol.asyncDispose]();
    hanging.resolve(file(GOOD));
    await Bun.sleep(0);
    expect(world.store.inForce()).toBeUndefined();
    expect(world.seen).toEqual([]);
  });

  test("is wrapped by what is handed in", async () => {
    const clock = createFixedClock();
    const order: string[] = [];
    const refresher = createPolicyRefresher({
      clock,
      store: createPolicyStore({ clock, maxStaleMs: 0 }),
      isAppUsable: () => true,
      observe: () => void order.push("observed"),
      around: async (refresh) => {
        order.push("before");
        const outcome = await refresh();
        order.push(outcome.kind);
        return outcome;
      },
      source: { fetch: async () => file(GOOD) },
    });
    await refresher.refreshNow();
    expect(order).toEqual(["before", "refreshed", "observed"]);
  });
});

describe("the policy store", () => {
  test("says when nobody could read the file for longer than is allowed, until somebody can", async () => {
    const world = createWorld(file(GOOD), new Error("down"));
    expect(world.store.ageMs()).toBeUndefined();
    await world.refresher.refreshNow();
    world.clock.advance(24 * HOUR_MS);
    await world.refresher.refreshNow();
    expect(world.store.read().kind).toBe("in-force");
    world.clock.advance(1);
    expect(world.store.read()).toEqual({ kind: "too-old", ageMs: 24 * HOUR_MS + 1 });
    expect(world.store.ageMs()).toBe(24 * HOUR_MS + 1);
    world.store.confirm(world.store.inForce()!);
    expect(world.store.read().kind).toBe("in-force");
    expect(world.store.ageMs()).toBe(0);
  });

  test("does not count a wall clock that was set as age", async () => {
    const world = createWorld(file(GOOD));
    await world.refresher.refreshNow();
    world.clock.setWall(world.clock.nowMs() + 365 * 24 * HOUR_MS);
    expect(world.store.read().kind).toBe("in-force");
  });

  test("without a limit lets a policy rule on", async () => {
    const clock = createFixedClock();
    const store = createPolicyStore({ clock, maxStaleMs: 0 });
    const refresher = createPolicyRefresher({
      clock,
      store,
      isAppUsable: () => true,
      observe: () => undefined,
      source: { fetch: async () => file(GOOD) },
    });
    await refresher.refreshNow();
    clock.advance(1_000 * HOUR_MS);
    expect(store.read().kind).toBe("in-force");
  });
});
