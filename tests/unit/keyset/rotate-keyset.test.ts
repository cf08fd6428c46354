import { describe, expect, test } from "bun:test";
import { editStoredKey } from "../../../src/keyset/edit-stored-key.ts";
import type { KeysetObserver } from "../../../src/keyset/keyset-holder.ts";
import { startKeysetHolder } from "../../../src/keyset/keyset-holder.ts";
import { loadKeyset } from "../../../src/keyset/load-keyset.ts";
import { readRotationStage, rotateCompromisedKeyset, rotateKeyset } from "../../../src/keyset/rotate-keyset.ts";
import { rotationStage } from "../../../src/keyset/rotation.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { deleteKey, destroyKey, disableKey, promoteKey } from "../../../src/tink/edit-keyset.ts";
import { unavailable } from "../../support/memory-keyset-parts.ts";
import { aes256, createKeysetWorld, createStore, keysetOf } from "./world.ts";

const MINUTE_MS = 60_000;
const options = { template: aes256, random: systemRandom, dryRun: false, now: false };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const silent: KeysetObserver = { changed: () => undefined, confirmed: () => undefined, refreshFailed: () => undefined };

describe("rotationStage()", () => {
  const three = keysetOf(3);
  const [first = 0, second = 0, third = 0] = three.keys.map(({ keyId }) => keyId);
  test.each([
    ["one key", keysetOf(1), "settled", {}],
    ["a key behind the primary", keysetOf(2), "added", { newKeyId: expect.any(Number), dueAtEpochMs: 15 * MINUTE_MS }],
    ["two keys behind the primary: the last", three, "added", { newKeyId: third }],
    ["keys on both sides: promote first", promoteKey(three, second), "added", { newKeyId: third }],
    [
      "keys before the primary",
      promoteKey(three, third),
      "promoted",
      { oldKeyIds: [first, second], dueAtEpochMs: 75 * MINUTE_MS },
    ],
    [
      "a disabled key before the primary",
      disableKey(disableKey(promoteKey(three, third), first), second),
      "settled",
      {},
    ],
    ["a destroyed key behind the primary", destroyKey(deleteKey(three, third), second), "settled", {}],
  ] as const)("%s", (_, keyset, stage, details) => {
    expect(rotationStage(keyset, 0)).toMatchObject({ stage, ...details });
  });
});

describe("rotateKeyset()", () => {
  test("goes through its three steps, each no sooner than it is due", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const outcomes: unknown[] = [];
    const rotateAfter = async (minutes: number): Promise<void> => {
      world.clock.advance(minutes * MINUTE_MS);
      const { result, written } = await rotateKeyset(world.tools, options);
      outcomes.push([
        result.kind,
        result.was.nextStep,
        written,
        result.kind === "step" ? result.finished : result.waitMs,
      ]);
    };
    await rotateAfter(0);
    await rotateAfter(14);
    await rotateAfter(1);
    await rotateAfter(74);
    await rotateAfter(1);
    expect(outcomes).toEqual([
      ["step", "add", true, false],
      ["early", "promote", false, MINUTE_MS],
      ["step", "promote", true, false],
      ["early", "disable", false, MINUTE_MS],
      ["step", "disable", true, true],
    ]);
    const { summary } = await loadKeyset(world.store);
    expect(summary.keys.map(({ status, primary }) => [status, primary])).toEqual([
      ["DISABLED", false],
      ["ENABLED", true],
    ]);
    expect(await readRotationStage(world.tools)).toMatchObject({ stage: "settled", nextStep: "add" });
  });

  test("takes an early step when told to", async () => {
    const world = await createKeysetWorld(keysetOf(2));
    const { result, written } = await rotateKeyset(world.tools, { ...options, now: true });
    expect([result.kind, result.was.nextStep, written]).toEqual(["step", "promote", true]);
  });

  test("tells the step in a dry run and does not take it", async () => {
    const world = await createKeysetWorld(keysetOf(2));
    world.clock.advance(15 * MINUTE_MS);
    const { result, written } = await rotateKeyset(world.tools, { ...options, dryRun: true });
    expect([result.kind, result.was.nextStep, written]).toEqual(["step", "promote", false]);
    expect(await readRotationStage(world.tools)).toMatchObject({ stage: "added" });
  });

  test("goes on after an interruption where it was", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    world.secrets.onWrite = (at) => {
      if (at === "after put") throw unavailable("secrets-manager");
    };
    expect(await rotateKeyset(world.tools, options).catch(() => "failed")).toBe("failed");
    world.secrets.onWrite = () => undefined;
    const { result } = await rotateKeyset({ ...world.tools, store: createStore(world) }, options);
    expect(result.was.nextStep).toBe("add");
  });

  // Otherwise the second would promote a key that no instance has loaded.
  test("two operators at once take one step, and the other is told that the next is early", async () => {
    const world = await createKeysetWorld(keysetOf(1));
    const both = Promise.all(
      [0, 1].map((index) =>
        rotateKeyset({ ...world.tools, store: createStore(world), jitter: () => index / 2 }, options),
      ),
    );
    await world.clock.advanceAndSettle(10_000);
    const outcomes = (await both).map(({ result }) => `${result.kind} ${result.was.nextStep}`);
    expect(new Set(outcomes)).toEqual(new Set(["step add", "early promote"]));
  });

  test("counts from any change of the keyset, never from an earlier one", async () => {
    const keyset = keysetOf(3);
    const world = await createKeysetWorld(keyset);
    world.clock.advance(14 * MINUTE_MS);
    await editStoredKey(world.tools, "delete", keyset.keys[1]?.keyId ?? 0, { dryRun: false });
    world.clock.advance(2 * MINUTE_MS);
    expect((await rotateKeyset(world.tools, options)).result).toMatchObject({ kind: "early", waitMs: 13 * MINUTE_MS });
  });
});

// The promise behind the waiting times: whatever one instance seals, every other opens, however far they lag each other.
test("a rotation by the rules shuts no instance out, at any phase of their readings", async () => {
  const data = utf8("key of the entry");
  const world = await createKeysetWorld(keysetOf(1));
  const holders = await Promise.all(
    [0, 0.4, 0.999].map((jitter) =>
      startKeysetHolder({ ...world, store: createStore(world), jitter: () => jitter, observer: silent }),
    ),
  );
  const live: { readonly sealed: Uint8Array; readonly untilMs: number }[] = [];
  const stages = new Set<string>();
  let shut = 0;
  for (let minute = 0; minute < 240; minute++) {
    const { result } = await rotateKeyset({ ...world.tools, store: createStore(world) }, options);
    stages.add(result.was.stage);
    for (const holder of holders) {
      live.push({
        sealed: holder.currentAead().seal(utf8("token"), data),
        untilMs: world.clock.nowMs() + 60 * MINUTE_MS,
      });
    }
    for (const { sealed, untilMs } of live) {
      if (untilMs < world.clock.nowMs()) continue;
      shut += holders.filter((holder) => holder.currentAead().open(sealed, data) === undefined).length;
    }
    await world.clock.advanceAndSettle(MINUTE_MS);
  }
  expect([...stages].sort()).toEqual(["added", "promoted", "settled"]);
  expect(shut).toBe(0);
  for (const holder of holders) await holder[Symbol.asyncDispose]();
}, 60_000);

test("rotateCompromisedKeyset() leaves one enabled key that was never there before, and tells the cost", async () => {
  const keyset = keysetOf(3);
  const world = await createKeysetWorld(keyset);
  const { result, after, written } = await rotateCompromisedKeyset(world.tools, options);
  const oldIds = keyset.keys.map(({ keyId }) => keyId);
  expect(written).toBe(true);
  expect(result).toEqual({ newKeyId: after.primaryKeyId, disabledKeyIds: oldIds, lagMs: 15 * MINUTE_MS });
  expect(oldIds).not.toContain(result.newKeyId);
  expect(after.keys.filter(({ status }) => status === "ENABLED").map(({ keyId }) => keyId)).toEqual([result.newKeyId]);
});
