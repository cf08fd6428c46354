import { describe, expect, test } from "bun:test";
import { OutputFailure, OutputLines } from "../../../src/audit/output-lines.ts";
import { systemClock } from "../../../src/lib/clock.ts";

/** A sink whose every flush waits for the test. */
function gatedSink() {
  const writes: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  return {
    writes,
    release: (index: number) => gates[index]?.resolve(),
    fail: (index: number, error: Error = new Error("ENOSPC")) => gates[index]?.reject(error),
    sink: {
      send: (text: string) => {
        writes.push(text);
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        return gate.promise;
      },
    },
  };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
const impatientClock = { ...systemClock, after: (_delayMs: number, run: () => void) => systemClock.after(0, run) };
const open = (sink: ReturnType<typeof gatedSink>["sink"], failures: unknown[] = []) =>
  new OutputLines({ sink, instance: "i", clock: impatientClock, onFailure: (error) => failures.push(error) });

describe("OutputLines", () => {
  test("lines of one turn share one write, in order, with sequence numbers without gaps", async () => {
    const { sink, writes, release } = gatedSink();
    const lines = open(sink);
    lines.append(`{"a":1`, "audit");
    lines.append(`{"log":1}`, "log");
    lines.append(`{"a":2`, "audit");
    await turn();
    release(0);
    await lines[Symbol.asyncDispose]();
    expect(writes).toEqual([`{"a":1,"instance":"i","sequence":1}\n{"log":1}\n{"a":2,"instance":"i","sequence":2}\n`]);
  });

  test("nobody is told that a line is written before the operating system has it", async () => {
    const { sink, release } = gatedSink();
    const lines = open(sink);
    let told = false;
    const line = lines.append(`{"a":1`, "audit");
    line.tell({ onDeparture: (isWritten) => (told = isWritten) });
    await turn();
    expect(told).toBe(false);
    release(0);
    await line.written;
    expect(told).toBe(true);
  });

  test("while a write is stuck, later lines gather into the next one and their size is known", async () => {
    const { sink, writes, release } = gatedSink();
    const lines = open(sink);
    lines.append(`{"a":1`, "audit");
    await turn();
    lines.append(`{"a":2`, "audit");
    lines.append(`{"a":3`, "audit");
    await turn();
    expect(writes).toHaveLength(1);
    expect(lines.pendingSize).toBe(18);
    release(0);
    await turn();
    expect(writes[1]).toBe(`{"a":2,"instance":"i","sequence":2}\n{"a":3,"instance":"i","sequence":3}\n`);
    release(1);
    await lines[Symbol.asyncDispose]();
    expect(lines.pendingSize).toBe(0);
  });

  test("a waiting line can be replaced, one under way cannot", async () => {
    const { sink, writes, release } = gatedSink();
    const lines = open(sink);
    const first = lines.append(`{"a":1`, "audit");
    await turn();
    const second = lines.append(`{"a":2`, "audit");
    expect(first.replace(`{"x":1`)).toBe(false);
    expect(second.replace(`{"x":2`)).toBe(true);
    release(0);
    await turn();
    release(1);
    await second.written;
    expect(writes[1]).toBe(`{"x":2,"instance":"i","sequence":2}\n`);
  });

  test("a failed write is told to its waiters, and its lines leave with the next on a line of their own, with the same numbers", async () => {
    const { sink, writes, release, fail } = gatedSink();
    const failures: unknown[] = [];
    const lines = open(sink, failures);
    const first = lines.append(`{"a":1`, "audit");
    const told: boolean[] = [];
    first.tell({ onDeparture: (isWritten) => told.push(isWritten) });
    await turn();
    fail(0);
    expect(await first.written.catch((error: unknown) => error)).toMatchObject({ code: "output-failed" });
    expect(told).toEqual([false]);
    expect(first.replace(`{"x":1`)).toBe(true);
    lines.append(`{"a":2`, "audit");
    await turn();
    await turn();
    release(1);
    await lines[Symbol.asyncDispose]();
    expect(writes[1]).toBe(`\n{"x":1,"instance":"i","sequence":1}\n{"a":2,"instance":"i","sequence":2}\n`);
    expect(failures).toHaveLength(1);
    expect(lines.pendingSize).toBe(0);
  });

  const whole = `{"a":1,"instance":"i","sequence":1}\n`;
  test.each([
    ["nothing", 0, 0],
    ["half a line", 10, 0],
    ["a line without its end", whole.length - 1, 1],
    ["a line", whole.length, 1],
    ["a line and a half", whole.length + 10, 1],
    ["two lines", 2 * whole.length, 2],
    ["all but the last end", 3 * whole.length - 1, 3],
  ])("when a disk took %s, only what it did not take is written again", async (_what, writtenBytes, count) => {
    const { sink, writes, release, fail } = gatedSink();
    const lines = open(sink);
    let left = 0;
    for (const number of [1, 2, 3]) {
      const line = lines.append(`{"a":${number}`, "audit");
      line.tell({ onDeparture: (isWritten) => void (left += isWritten ? 1 : 0) });
    }
    await turn();
    fail(0, new OutputFailure(writtenBytes, Object.assign(new Error("no space"), { code: "ENOSPC" })));
    await turn();
    await turn();
    expect(left).toBe(count);
    release(1);
    await lines[Symbol.asyncDispose]();
    const kept = (writes[0] ?? "").slice(0, writtenBytes) + (writes[1] ?? "");
    const parsed = kept.split("\n").flatMap((line) => (line.endsWith("}") ? [JSON.parse(line).sequence] : []));
    expect(parsed).toEqual([1, 2, 3]);
  });

  test("a disk that fills up inside the line break after a failure loses nothing", async () => {
    const { sink, writes, release, fail } = gatedSink();
    const lines = open(sink);
    lines.append(`{"a":1`, "audit");
    await turn();
    fail(0);
    await turn();
    await turn();
    fail(1, new OutputFailure(1, new Error("no space")));
    await turn();
    await turn();
    release(2);
    await lines[Symbol.asyncDispose]();
    expect(writes[2]).toBe(`{"a":1,"instance":"i","sequence":1}\n`);
  });
});
