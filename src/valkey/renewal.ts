import type { Cancel, Clock } from "../lib/clock.ts";
import type { Connection } from "./connection.ts";
import { ConnectionFault } from "./failure.ts";
import type { Reporter } from "./reporter.ts";
import type { Timing } from "./timing.ts";

export interface RenewalOptions {
  readonly clock: Clock;
  readonly timing: Timing;
  readonly reporter: Reporter;
  /** A number from 0 up to 1. */
  readonly random: () => number;
  /** Absent: credentials may get any age. */
  readonly renewAfterMs: number | undefined;
}

/** What renewal needs of the owner of the connection. */
export interface ConnectionOwner {
  readonly server: string;
  readonly isCurrent: (connection: Connection) => boolean;
  /** Makes a connection with fresh credentials and then puts it in the old one's place. */
  readonly replace: (connection: Connection) => Promise<void>;
}

/** Keeps a connection's credentials young, without a moment in which there is no connection. */
export class Renewal implements Disposable {
  readonly #options: RenewalOptions;
  readonly #owner: ConnectionOwner;
  #cancel: Cancel = () => undefined;

  constructor(options: RenewalOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** Counts from now, for this connection; whatever was planned for another is off. */
  start(connection: Connection): void {
    const { renewAfterMs, random } = this.#options;
    // Never later than that, and spread out, so that a fleet which started together does not renew together.
    if (renewAfterMs !== undefined) this.#plan(connection, renewAfterMs * (1 - 0.15 * random()));
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }

  #plan(connection: Connection, delayMs: number): void {
    this.#cancel();
    this.#cancel = this.#options.clock.after(delayMs, () => void this.#renew(connection));
  }

  async #renew(connection: Connection): Promise<void> {
    const { reporter, timing } = this.#options;
    try {
      reporter.renewed(this.#owner.server, await this.#authenticateOrReplace(connection));
    } catch (error) {
      if (!(error instanceof ConnectionFault)) throw error;
      if (!this.#owner.isCurrent(connection)) return;
      reporter.renewalFailed(this.#owner.server, error);
      this.#plan(connection, timing.renewalRetryMs);
    }
  }

  /** `AUTH` on the live connection; where the server will not have that, a new connection takes the old one's place. */
  async #authenticateOrReplace(connection: Connection): Promise<"auth" | "replacement"> {
    try {
      await connection.authenticate();
    } catch (error) {
      const hopeless = error instanceof ConnectionFault && error.reason === "credentials";
      if (hopeless || !this.#owner.isCurrent(connection)) throw error;
      await this.#owner.replace(connection);
      return "replacement";
    }
    if (this.#owner.isCurrent(connection)) this.start(connection);
    return "auth";
  }
}
