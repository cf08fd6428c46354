import { describe, expect, test } from "bun:test";
import { unlessAborted } from "../../../src/lib/unless-aborted.ts";
import { rejection } from "../../support/rejection.ts";

describe("unlessAborted()", () => {
  test("is what the work comes to, and listens no more", async () => {
    const controller = new AbortController();
    expect(await unlessAborted(Promise.resolve(7), controller.signal)).toBe(7);
    const failure = new Error("failed");
    expect(await rejection(unlessAborted(Promise.reject(failure), controller.signal))).toBe(failure);
  });

  test("rejects with the signal's reason while the work goes on, and what becomes of it is nobody's", async () => {
    const controller = new AbortController();
    const work = Promise.withResolvers<never>();
    const outcome = rejection(unlessAborted(work.promise, controller.signal));
    const reason = new Error("told to stop");
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    work.reject(new Error("late"));
    await Bun.sleep(0);
  });

  test("rejects at once when the signal has been aborted already", async () => {
    const reason = new Error("told to stop");
    expect(await rejection(unlessAborted(new Promise(() => undefined), AbortSignal.abort(reason)))).toBe(reason);
    expect(String(await rejection(unlessAborted(new Promise(() => undefined), AbortSignal.abort("x"))))).toBe(
      "Error: aborted",
    );
  });
});
