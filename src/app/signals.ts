import type { ServerConfiguration } from "../config/configuration.ts";
import { systemClock } from "../lib/clock.ts";
import type { RunningService } from "./service.ts";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Waits for SIGTERM or SIGINT, then stops the service within its time-out: it goes on accepting for the drain delay, since a load
 * balancer still routes for a moment, then finishes what is in flight. Resolves with 0, or with 1 on a second signal.
 */
export async function untilTerminated(service: RunningService, server: ServerConfiguration): Promise<number> {
  const signals = signalQueue();
  await signals.next();
  service.logger.info("stopping", { drainDelayMs: server.drainDelayMs, timeoutMs: server.shutdownTimeoutMs });
  const stopped = (async () => {
    await pause(server.drainDelayMs);
    await Promise.race([service[Symbol.asyncDispose](), pause(server.shutdownTimeoutMs)]);
    return 0;
  })();
  return Promise.race([stopped, signals.next().then(() => 1)]);
}

function signalQueue(): { readonly next: () => Promise<void> } {
  const waiting: (() => void)[] = [];
  for (const signal of STOP_SIGNALS) process.on(signal, () => waiting.shift()?.());
  return { next: () => new Promise((resolve) => waiting.push(resolve)) };
}

async function pause(delayMs: number): Promise<void> {
  if (delayMs > 0) await new Promise<void>((resolve) => systemClock.after(delayMs, resolve));
}
