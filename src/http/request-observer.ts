import type { BuildkiteIdentity } from "../oidc/buildkite-identity.ts";
import type { TokenSource } from "../vending/vend.ts";
import type { ResolvedFacts } from "../vending/audit-token.ts";
import type { Decision } from "./decision.ts";
import type { TokenRoute } from "./routes.ts";

/** Sees every token request from its arrival to its reply: for traces and metrics. Must not throw. */
export interface RequestObserver {
  readonly begin: (arrival: ObservedArrival) => RequestObservation;
}

export interface ObservedArrival {
  readonly request: Request;
  readonly route: TokenRoute;
  /** Raw, without the query. */
  readonly path: string;
  readonly peer: string;
}

/** One request being observed. */
export interface RequestObservation {
  readonly traceId: string;
  /** Runs what the request does, so that the calls it makes are known to be its own. */
  readonly run: <Result>(work: () => Result) => Result;
  /** Once, when the reply leaves. */
  readonly end: (end: RequestEnd) => void;
}

export interface RequestEnd {
  readonly status: number;
  readonly decision: Decision;
  /** From the request's arrival, its body read. */
  readonly durationMs: number;
  /** Undefined where the body was not kept: it was too large, or broke off. */
  readonly requestBytes: number | undefined;
  readonly replyText: string | null;
  /** What became known of the request, as far as it came. */
  readonly identity: BuildkiteIdentity | undefined;
  readonly resolved: ResolvedFacts | undefined;
  readonly source: TokenSource | undefined;
}
