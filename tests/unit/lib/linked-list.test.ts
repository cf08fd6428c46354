import { describe, expect, test } from "bun:test";
import { array, assert, integer, property } from "fast-check";
import { LinkedList, type Linked } from "../../../src/lib/linked-list.ts";

interface Numbered extends Linked<Numbered> {
  readonly number: number;
}

describe("LinkedList", () => {
  test("holds what was appended and not removed, in order from either end, whatever is removed", () =>
    assert(
      property(integer({ min: 1, max: 9 }), array(integer({ min: 0, max: 8 })), (appended, removals) => {
        const list = new LinkedList<Numbered>();
        const left = Array.from({ length: appended }, (_, number) => place(number));
        for (const node of left) list.append(node);
        for (const at of removals) for (const node of left.splice(at, 1)) list.remove(node);
        expect(list.size).toBe(left.length);
        expect(walk(list.oldest, (node) => node.newer)).toEqual(left.map(({ number }) => number));
        expect(walk(list.newest, (node) => node.older)).toEqual(left.map(({ number }) => number).toReversed());
      }),
    ));

  test("what was removed leads to none of its neighbours, and may be appended again", () => {
    const list = new LinkedList<Numbered>();
    const [first, second, third] = [place(1), place(2), place(3)];
    for (const node of [first, second, third]) list.append(node);
    list.remove(second);
    expect([second.older, second.newer]).toEqual([undefined, undefined]);
    list.append(second);
    expect(walk(list.oldest, (node) => node.newer)).toEqual([1, 3, 2]);
  });
});

function place(number: number): Numbered {
  return { number, older: undefined, newer: undefined };
}

function walk(from: Numbered | undefined, next: (node: Numbered) => Numbered | undefined): readonly number[] {
  const numbers: number[] = [];
  for (let node = from; node !== undefined; node = next(node)) numbers.push(node.number);
  return numbers;
}
