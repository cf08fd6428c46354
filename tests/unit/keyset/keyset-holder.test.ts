import { describe, expect, test } from "bun:test";
import type { KeysetObserver } from "../../../src/keyset/keyset-holder.ts";
import { startKeysetHolder } from "../../../src/keyset/keyset-holder.ts";
import { addStoredKey } from "../../../src/keyset/edit-stored-key.ts";
import type { KeyUnwrapper } from "../../../src/keyset/key-unwrapper.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { unavailable } from "../../support/memory-keyset-parts.ts";
import { aes256, createKeysetWorld, createStore, failureOf, keysetOf, type KeysetWorld } from "./world.ts";

const MINUTE_MS = 60_000;

function recordingObserver(): KeysetObserver & { readonly events: string[] } {
  const events: string[] = [];
  return {
    events,
    changed: (after, before) => events.push(`changed ${before?.keys.length ?? 0} -> ${after.keys.length}`),
    confirmed: () => events.push("confirmed"),
    refreshFailed: () => events.push("failed"),
  };
}

/** A second view of the secret: what an operator changes is not seen by the holder before it reads. */
async function addKeyElsewhere(world: KeysetWorld): Promise<void> {
  const tools = { ...world.tools, store: createStore(world) };
  await addStoredKey(tools, { template: aes256, random: systemRandom, dryRun: false });
}

describe("the keyset in force", () => {
  test.each([
    [0, 12],
    [0.5, 13.25],
    [0.999, 14.4975],
  ])("is read again after 12 to 14.5 minutes (jitter %p: %p)", async (jitter, minutes) => {
    const world = await createKeysetWorld(keysetOf(1));
    const observer = recordingObserver();
    await using holder = await startKeysetHolder({ ...world, jitter: () => jitter, observer });
    const before = holder.currentAead();
    await addKeyElsewhere(world);
    await world.clock.advanceAndSettle(minutes * MINUTE_MS - 1);
    expect(observer.events).toEqual(["changed 0 -> 1"]);
    expect(holder.currentAead()).toBe(before);
    await world.clock.advanceAndSettle(1);
    expect(observer.events).toEqual(["changed 0 -> 1", "changed 1 -> 2"]);
    expect(holder.currentAead()).not.toBe(before);
    expect(holder.currentSummary().keys.length).toBe(2);
  });

  test("stays the same object while nothing changes", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const observer = recordingObserver();
    await using holder = await startKeysetHolder({ ...world, jitter: () => 0, observer });
    const before = holder.currentAead();
    await world.clock.advanceAndSettle(36 * MINUTE_MS);
    expect(observer.events).toEqual(["changed 0 -> 1", "confirmed", "confirmed", "confirmed"]);
    expect(holder.currentAead()).toBe(before);
  });

  test("outlives failures, which are told and tried again sooner", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const observer = recordingObserver();
    await using holder = await startKeysetHolder({ ...world, jitter: () => 0, observer });
    const before = holder.currentAead();
    world.kms.failWith = unavailable("kms");
    await world.clock.advanceAndSettle((12 + 1 + 2 + 4) * MINUTE_MS);
    expect(observer.events).toEqual(["changed 0 -> 1", "failed", "failed", "failed", "failed"]);
    expect(holder.currentAead()).toBe(before);
    world.kms.failWith = undefined;
    await addKeyElsewhere(world);
    await world.clock.advanceAndSettle(8 * MINUTE_MS);
    expect(observer.events.at(-1)).toBe("changed 1 -> 2");
    await world.clock.advanceAndSettle(12 * MINUTE_MS);
    expect(observer.events.at(-1)).toBe("confirmed");
  });

  test("is not replaced by a broken one", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const observer = recordingObserver();
    await using holder = await startKeysetHolder({ ...world, jitter: () => 0, observer });
    const before = holder.currentAead();
    for (const secret of world.secrets.secrets.values()) {
      secret.versions.set("first", { value: "{}", createdAtEpochMs: 0 });
    }
    await holder.refresh();
    expect(observer.events).toEqual(["changed 0 -> 1", "failed"]);
    expect(holder.currentAead()).toBe(before);
  });

  test("a reading without an answer ends after 20 seconds, and the next one is tried", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const observer = recordingObserver();
    let hangs = false;
    const store = {
      ...world.store,
      read: async (signal?: AbortSignal) =>
        hangs ? await new Promise<never>(() => undefined) : await world.store.read(signal),
    };
    await using _holder = await startKeysetHolder({ ...world, store, jitter: () => 0, observer });
    hangs = true;
    await world.clock.advanceAndSettle(12 * MINUTE_MS + 20_000);
    expect(observer.events).toEqual(["changed 0 -> 1", "failed"]);
    hangs = false;
    await world.clock.advanceAndSettle(MINUTE_MS);
    expect(observer.events).toEqual(["changed 0 -> 1", "failed", "confirmed"]);
  });

  test("is read once when several ask at once, and the regular reading starts anew from there", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const observer = recordingObserver();
    await using holder = await startKeysetHolder({ ...world, jitter: () => 0, observer });
    await world.clock.advanceAndSettle(10 * MINUTE_MS);
    await Promise.all([holder.refresh(), holder.refresh(), holder.refresh()]);
    expect(world.secrets.reads.length).toBe(2);
    await world.clock.advanceAndSettle(11 * MINUTE_MS);
    expect(world.secrets.reads.length).toBe(2);
    expect(world.clock.pending()).toBe(1);
  });

  test("is not read any more after disposal", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const holder = await startKeysetHolder({ ...world, jitter: () => 0, observer: recordingObserver() });
    await holder[Symbol.asyncDispose]();
    expect(world.clock.pending()).toBe(0);
    await holder.refresh();
    expect(world.secrets.reads.length).toBe(1);
  });
});

describe("the start", () => {
  test("tries three times within 30 seconds, then fails with the last failure", async () => {
    const world = await createKeysetWorld(undefined);
    const failure = failureOf(startKeysetHolder({ ...world, jitter: () => 0, observer: recordingObserver() }));
    await world.clock.advanceAndSettle(30_000);
    expect(await failure).toMatchObject({ code: "keyset-absent", step: "secret" });
    expect(world.secrets.reads.length).toBe(3);
    expect(world.clock.pending()).toBe(0);
  });

  test("gives up on three readings that never end before 30 seconds are over", async () => {
    const world = await createKeysetWorld(undefined);
    const store = { ...world.store, read: async () => await new Promise<never>(() => undefined) };
    const start = startKeysetHolder({ ...world, store, jitter: () => 0, observer: recordingObserver() });
    const failure = start.catch((error: unknown) => String(error));
    await world.clock.advanceAndSettle(30_000);
    expect(await failure).toBe("Error: no answer within 8000 ms");
  });

  test("a try that takes too long names the step where it stood", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const hangs: KeyUnwrapper["decrypt"] = (_arn, _ciphertext, signal) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("given up"))));
    const store = createStore({ kms: { ...world.kms, decrypt: hangs }, secrets: world.secrets });
    const failure = failureOf(startKeysetHolder({ ...world, store, jitter: () => 0, observer: recordingObserver() }));
    await world.clock.advanceAndSettle(30_000);
    expect(await failure).toMatchObject({ code: "keyset-unavailable", step: "kms" });
  });

  test("succeeds at the second try", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    world.kms.failWith = unavailable("kms");
    const start = startKeysetHolder({ ...world, jitter: () => 0, observer: recordingObserver() });
    await world.clock.advanceAndSettle(500);
    world.kms.failWith = undefined;
    await world.clock.advanceAndSettle(500);
    await using holder = await start;
    expect(holder.currentSummary().keys.length).toBe(1);
  });

  test("ends at once when it is called off", async () => {
    const world = await createKeysetWorld(undefined);
    const stop = new AbortController();
    const start = startKeysetHolder({ ...world, jitter: () => 0, observer: recordingObserver(), signal: stop.signal });
    const failure = start.catch((error: unknown) => String(error));
    await world.clock.advanceAndSettle(10);
    stop.abort(new Error("stopping"));
    expect(await failure).toBe("Error: stopping");
    expect(world.clock.pending()).toBe(0);
  });
});
