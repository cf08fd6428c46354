import { describe, expect, test } from "bun:test";
import { OutputLines } from "../../../src/audit/output-lines.ts";
import { systemClock } from "../../../src/lib/clock.ts";

/** A sink whose every flush waits for the test. */
function gatedSink() {
  const writes: string[] = [];
  const gates: PromiseWithResolvers<number>[] = [];
  return {
    writes,
    release: (index: number) => gates[index]?.resolve(0),
    fail: (index: number) => gates[index]?.reject(new Error("ENOSPC")),
    sink: {
      write: (text: string) => void writes.push(text),
      flush: () => {
        const gate = Promise.withResolvers<number>();
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
    void line.written.then(() => (told = true));
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

  test("after a failed write its waiters learn of it, and the next line begins on a line of its own", async () => {
    const { sink, writes, release, fail } = gatedSink();
    const failures: unknown[] = [];
    const lines = open(sink, failures);
    const lost = lines.append(`{"a":1`, "audit");
    await turn();
    fail(0);
    expect(await lost.written.catch((error: unknown) => error)).toMatchObject({ code: "output-failed" });
    const kept = lines.append(`{"a":2`, "audit");
    await turn();
    await turn();
    release(1);
    await kept.written;
    expect(writes[1]).toBe(`\n{"a":2,"instance":"i","sequence":2}\n`);
    expect(failures).toHaveLength(1);
  });
});
