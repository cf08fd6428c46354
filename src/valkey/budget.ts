/**
 * The time that one request may still spend waiting for the shared store, over all of its commands. Commands that run at
 * the same time each take their own time from it.
 */
export interface Budget {
  leftMs: number;
}
