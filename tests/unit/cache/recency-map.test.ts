import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { RecencyMap } from "../../../src/cache/recency-map.ts";

const keys = fc.constantFrom("a", "b", "c", "d", "e");
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key: keys }),
  fc.record({ kind: fc.constant("use" as const), key: keys }),
  fc.record({ kind: fc.constant("delete" as const), key: keys }),
);

function inOrder(map: RecencyMap<number>): string[] {
  const found: string[] = [];
  for (let place = map.oldest; place !== undefined; place = place.newer) found.push(`${place.key}${place.value}`);
  return found;
}

describe("RecencyMap", () => {
  test("keeps the order of last use, as deleting and setting a key in a Map would", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new RecencyMap<number>();
        const model = new Map<string, number>();
        for (const [index, { kind, key }] of steps.entries()) {
          const value = model.get(key);
          if (kind === "delete") {
            map.delete(key);
            model.delete(key);
          } else if (kind === "set") {
            map.set(key, index);
            model.delete(key);
            model.set(key, index);
          } else if (value !== undefined) {
            const place = map.find(key);
            if (place !== undefined) map.use(place);
            model.delete(key);
            model.set(key, value);
          }
          expect(inOrder(map)).toEqual([...model].map(([name, held]) => `${name}${held}`));
          expect(map.size).toBe(model.size);
          expect(map.find(key)?.value).toBe(model.get(key));
        }
      }),
    );
  });

  test("may be deleted from while its values are looked at", () => {
    const map = new RecencyMap<number>();
    for (const [index, key] of ["a", "b", "c"].entries()) map.set(key, index);
    for (const { key } of map.values()) map.delete(key);
    expect(map.size).toBe(0);
    expect(map.oldest).toBeUndefined();
  });
});
