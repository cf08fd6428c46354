import * as v from "valibot";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import { parseReply } from "../lib/parse-reply.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The part of the container's metadata that tells what becomes of standard output (ECS task metadata endpoint version 4). */
const Container = v.object({
  LogDriver: v.optional(v.string()),
  LogOptions: v.optional(v.record(v.string(), v.string())),
});

export interface LogDriver {
  readonly driver: string;
  /** Absent: the task definition does not say, which has meant `non-blocking` since June 2025. */
  readonly mode?: string;
}

const CALL = { upstream: "ecs-metadata", operation: "read container metadata" } as const;
const TIMEOUT_MS = 2000;
const MAX_BYTES = 256 * 1024;

/** How ECS takes this container's standard output. Throws `UpstreamFault`. */
export async function readLogDriver(metadataUrl: string, fetch: BoundedFetch): Promise<LogDriver> {
  const request = { ...CALL, method: "GET", url: metadataUrl, headers: {} } as const;
  const response = await fetch({ ...request, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
  if (response.status !== 200) {
    const details = { upstream: CALL.upstream, status: response.status };
    throw new UpstreamFault("upstream-malformed", CALL.operation, details);
  }
  const { LogDriver: driver = "unknown", LogOptions: options = {} } = parseReply(Container, response, CALL);
  const { mode } = options;
  return { driver, ...(mode === undefined ? {} : { mode }) };
}

export interface LogDriverReport {
  readonly metadataUrl: string;
  readonly fetch: BoundedFetch;
  readonly logger: Logger;
  readonly metrics: Metrics | undefined;
}

/**
 * Warns, and shows in a metric, unless the log driver is known to be `blocking`: any other drops lines when it is slow, audit lines
 * included, where nobody here can see it. Never rejects.
 */
export async function reportLogDriver({ metadataUrl, fetch, logger, metrics }: LogDriverReport): Promise<void> {
  let isBlocking = false;
  metrics?.gauge("ecs.log_driver.blocking", () => [{ value: isBlocking ? 1 : 0, attributes: {} }]);
  try {
    const { driver, mode } = await readLogDriver(metadataUrl, fetch);
    isBlocking = mode === "blocking";
    if (isBlocking) return;
    logger.warn("the log driver may drop audit lines: set its mode to blocking in the task definition", {
      driver,
      mode: mode ?? "not set",
    });
  } catch (error) {
    const reason = describeCauses(error);
    logger.warn("whether the log driver may drop audit lines cannot be told", { reason });
  }
}
