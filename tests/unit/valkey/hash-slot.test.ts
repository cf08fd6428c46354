import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { hashSlot } from "../../../src/valkey/hash-slot.ts";

describe("hashSlot()", () => {
  // The first is the check value that the cluster specification gives for its CRC16 (0x31C3), the others are CLUSTER KEYSLOT's answers.
  test.each([
    ["123456789", 0x31c3],
    ["", 0],
    ["foo", 12182],
    ["somekey", 11058],
    ["foo{hash_tag}", 2515],
    ["bar{hash_tag}", 2515],
    ["{user1000}.following", 3443],
    ["foo{}{bar}", 8363],
    ["foo{{bar}}zap", 4015],
    ["foo{bar}{zap}", 5061],
    ["foo{bar", 15278],
    ["profile://organization/acme/é", 13495],
  ])("of %p is %d", (key, slot) => {
    expect(hashSlot(key)).toBe(slot);
  });

  test("is within the cluster for every key", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (key) => {
        expect(hashSlot(key)).toBeWithin(0, 16384);
      }),
    );
  });
});
