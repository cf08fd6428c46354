import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { createAuditLog } from "../../src/audit/audit-log.ts";
import { OutputFailure, OutputLines, type OutputSink } from "../../src/audit/output-lines.ts";
import { authorizedRequest } from "../support/authorized-requests.ts";
import { createInProcessService } from "../support/in-process-service.ts";

const POLICY = `pipeline: {defaults: {permissions: ["contents:read"]}}\n`;

const write = fc.record({
  kind: fc.constantFrom("taken", "taken later", "thrown", "rejected", "hangs"),
  /** Of what is thrown or rejected: how much had been taken. */
  fraction: fc.double({ min: 0, max: 1, noNaN: true }),
});
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("ask"), count: fc.integer({ min: 1, max: 20 }) }) },
  fc.record({ kind: fc.constant("turn"), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("wait"), count: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ kind: fc.constant("abort"), count: fc.nat({ max: 100 }) }),
);

interface Output extends OutputSink {
  readonly text: () => string;
  /** Whatever hangs or would go wrong goes well from now on. */
  readonly recover: () => void;
}

function unreliableOutput(writes: readonly { readonly kind: string; readonly fraction: number }[]): Output {
  const ahead = [...writes];
  const hanging: (() => void)[] = [];
  let out = Buffer.alloc(0);
  return {
    text: () => out.toString(),
    recover: () => {
      ahead.length = 0;
      for (const end of hanging.splice(0)) end();
    },
    send: (text) => {
      const { kind, fraction } = ahead.shift() ?? { kind: "taken", fraction: 1 };
      const bytes = Buffer.from(text);
      const part = Math.floor(bytes.length * fraction);
      const take = (count: number): void => void (out = Buffer.concat([out, bytes.subarray(0, count)]));
      const fail = (): never => {
        take(part);
        throw new OutputFailure(part, new Error("ENOSPC"));
      };
      if (kind === "taken") {
        take(bytes.length);
        return undefined;
      }
      if (kind === "thrown") return fail();
      if (kind === "hangs") return new Promise<void>((resolve) => hanging.push(() => resolve(take(bytes.length))));
      return Bun.sleep(0).then(() => (kind === "rejected" ? fail() : take(bytes.length)));
    },
  };
}

test("however standard output fails and whoever goes: one reply each, as its last line says, and no token before its line", async () => {
  const identity = {
    ...fc.sample(authorizedRequest, 1)[0]!.identity,
    pipelineSlug: "widget",
    pipelineId: "id-of-widget",
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(write, { maxLength: 8 }),
      fc.array(step, { minLength: 1, maxLength: 20 }),
      async (writes, steps) => {
        const sink = unreliableOutput(writes);
        let lines: OutputLines | undefined;
        const { ask, clock } = createInProcessService(POLICY, {
          audit: (its) => {
            lines = new OutputLines({ sink, instance: "i", clock: its, onFailure: () => undefined });
            return createAuditLog(lines, its);
          },
        });
        const replies = new Map<string, number[]>();
        const clients: AbortController[] = [];
        const askOnce = async (): Promise<void> => {
          const id = `request-${clients.length}`;
          const client = new AbortController();
          clients.push(client);
          replies.set(id, []);
          const headers = { host: "bridge", authorization: "Bearer a.b.c", "x-request-id": id };
          const request = new Request("http://bridge/token", { method: "POST", headers, signal: client.signal });
          const { status, text } = await ask(identity, request);
          replies.get(id)?.push(status);
          expect(text.includes("ghs_")).toBe(status === 200);
          if (status === 200)
            expect(linesOf(sink.text(), id).some(({ token }) => token.hashedToken !== undefined)).toBe(true);
        };
        const asked: Promise<void>[] = [];
        for (const { kind, count } of steps) {
          if (kind === "ask") asked.push(...Array.from({ length: count }, askOnce));
          else if (kind === "abort") clients[count % Math.max(1, clients.length)]?.abort();
          else await clock.advanceAndSettle(kind === "turn" ? 0 : count * 100);
        }
        // Nobody waits for longer than the deadline and a second, whatever standard output does.
        for (let second = 0; second < 22; second += 1) await clock.advanceAndSettle(1000);
        await Promise.all(asked);
        for (let round = 0; round < 12; round += 1) {
          sink.recover();
          await Bun.sleep(0);
          await clock.advanceAndSettle(1000);
        }
        expect(lines?.pendingSize).toBe(0);
        for (const [id, statuses] of replies) {
          const written = linesOf(sink.text(), id);
          expect(statuses).toEqual([written.at(-1)?.request.status]);
          // The second one: the first had left already when nobody could wait any longer.
          expect(written.length).toBeLessThanOrEqual(2);
          expect(written.at(-1)?.token?.hashedToken !== undefined).toBe(statuses[0] === 200);
        }
      },
    ),
    { numRuns: 500 },
  );
}, 60_000);

function linesOf(output: string, id: string): any[] {
  return output
    .split("\n")
    .filter((line) => line.includes(`"id":"${id}"`) && line.endsWith("}"))
    .map((line) => JSON.parse(line));
}
