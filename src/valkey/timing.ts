/** Every duration and bound of this folder. All in milliseconds, unless it says otherwise. */
export interface Timing {
  /** What one request may spend here in all. */
  readonly requestBudgetMs: number;
  /** An answer that takes longer is a strike against the server. Within a region it takes one. */
  readonly slowMs: number;
  /** From the first packet to the answer of the first PING; also the bound on getting credentials. */
  readonly connectMs: number;
  /** A PING this often on a quiet or busy connection alike: Bun's client sets no TCP keep-alive. */
  readonly heartbeatMs: number;
  /** A PING without an answer for this long: the peer is gone. With the time between two, below 10 s. */
  readonly silentMs: number;
  /** How often a server that was left out is tried. */
  readonly probeMs: number;
  readonly backOffFirstMs: number;
  readonly backOffLongestMs: number;
  /** A connection that lived this long was a good one: back-off starts anew after it. */
  readonly stableMs: number;
  /** Between attempts to renew credentials that failed. */
  readonly renewalRetryMs: number;
}

export const DEFAULT_TIMING: Timing = {
  requestBudgetMs: 250,
  slowMs: 100,
  connectMs: 5_000,
  heartbeatMs: 3_000,
  silentMs: 6_000,
  probeMs: 1_000,
  backOffFirstMs: 100,
  backOffLongestMs: 5_000,
  stableMs: 2_000,
  renewalRetryMs: 60_000,
};
