import { describe, expect, test } from "bun:test";
import { array, assert, integer, property } from "fast-check";
import { RecentValues } from "../../../src/lib/recent-values.ts";

describe("RecentValues", () => {
  test("holds what the last uses were of, and at most twice as many, whatever is used in whatever order", () =>
    assert(
      property(integer({ min: 1, max: 6 }), array(integer({ min: 0, max: 20 })), (generation, keys) => {
        const values = new RecentValues<number, { readonly key: number }>(generation);
        for (const key of keys) if (values.get(key) === undefined) values.set(key, { key });
        const lately = new Set<number>();
        for (const key of keys.toReversed()) if (lately.size < generation) lately.add(key);
        const held = Array.from({ length: 21 }, (_, key) => peek(values, key)).filter((value) => value !== undefined);
        expect(held.length).toBeLessThanOrEqual(generation * 2);
        for (const key of lately) expect(held).toContainEqual({ key });
      }),
    ));

  test("replaces the value of a key without a place more", () => {
    const values = new RecentValues<string, number>(2);
    values.set("a", 1);
    values.set("b", 2);
    values.set("b", 3);
    expect([values.get("a"), values.get("b")]).toEqual([1, 3]);
  });

  test("loses what is told to go, old and young", () => {
    const values = new RecentValues<number, number>(2);
    for (const key of [1, 2, 3]) values.set(key, key);
    values.deleteWhere((value) => value !== 2);
    expect([1, 2, 3].map((key) => values.get(key))).toEqual([undefined, 2, undefined]);
  });
});

/** Without making it young: each look at a copy. */
function peek<Value>(values: RecentValues<number, Value>, key: number): Value | undefined {
  let found: Value | undefined;
  values.deleteWhere((value) => {
    if (typeof value === "object" && value !== null && "key" in value && value.key === key) found = value;
    return false;
  });
  return found;
}
