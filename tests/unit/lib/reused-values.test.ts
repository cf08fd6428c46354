import { expect, test } from "bun:test";
import { ReusedValues } from "../../../src/lib/reused-values.ts";

test("a value is kept from its key's second use on, and what is made anew takes its place", () => {
  const values = new ReusedValues<string, { readonly number: number }>(10);
  const [first, second, third] = [{ number: 1 }, { number: 2 }, { number: 3 }];
  expect(values.get("a")).toBeUndefined();
  values.made("a", first);
  expect(values.get("a")).toBeUndefined();
  values.made("a", second);
  expect(values.get("a")).toBe(second);
  values.made("a", third);
  expect(values.get("a")).toBe(third);
});

test("a key that is not used for a while counts as new", () => {
  const values = new ReusedValues<number, object>(2);
  values.made(1, {});
  for (const other of [2, 3, 4, 5]) values.made(other, {});
  values.made(1, {});
  expect(values.get(1)).toBeUndefined();
});
