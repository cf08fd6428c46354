import { type Address, formatAddress } from "./address.ts";
import { backOffMs } from "./back-off.ts";
import { createBreaker } from "./breaker.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { withinMs } from "./deadline.ts";
import type { ServerState } from "./events.ts";
import { ConnectionFault, type Failure } from "./failure.ts";
import { Renewal, type RenewalOptions } from "./renewal.ts";

export interface LinkOptions extends ConnectionOptions, RenewalOptions {
  /** Called after each failed attempt to connect, with how many there were in a row. */
  readonly onFailedAttempt: (link: Link, failures: number) => void;
}

/** Some commands and their answers on one connection, which bounds its own time. */
export type Conversation<Value> = (connection: Connection) => Promise<Value>;

const NOTHING = (): void => undefined;

/**
 * One server, to which there is a connection whenever that is possible: lost ones are replaced, with a back-off and for
 * ever; credentials are renewed in time; a server that answers late or not at all is left out until it answers again.
 */
export class Link implements Disposable {
  readonly server: string;
  readonly #options: LinkOptions;
  readonly #breaker: ReturnType<typeof createBreaker>;
  readonly #renewal: Renewal;
  #connection: Connection | undefined;
  #connectedAtMs = 0;
  #failures = 0;
  /** The latest attempt to connect failed, so nobody should wait for the next. */
  #hopeless = false;
  #state: ServerState = "starting";
  #failure: Failure | undefined;
  #disposed = false;
  #cancelAttempt = NOTHING;
  #cancelProbe = NOTHING;
  /** Resolved at the next outcome of an attempt. */
  #outcome = Promise.withResolvers<void>();

  constructor(options: LinkOptions) {
    this.#options = options;
    this.server = formatAddress(options.address);
    this.#breaker = createBreaker(options.clock, options.timing.slowMs);
    this.#renewal = new Renewal(options, {
      server: this.server,
      isCurrent: (connection) => this.#isCurrent(connection),
      replace: (connection) => this.#replace(connection),
    });
    void this.#connect();
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Why it is not up. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  get usable(): boolean {
    return this.#connection !== undefined && !this.#breaker.open;
  }

  get address(): Address {
    return this.#options.address;
  }

  /** There is a connection, or one can be expected in a moment. */
  get hopeful(): boolean {
    return !this.#hopeless && !this.#breaker.open && !this.#disposed;
  }

  /** Resolves at the end of the attempt to connect that is under way. */
  get outcome(): Promise<void> {
    return this.#outcome.promise;
  }

  /**
   * Holds a conversation, after waiting for a connection if one can be expected.
   *
   * @throws {ConnectionFault} at once when the server is left out or could not be reached the last time, else within `limitMs`
   */
  async converse<Value>(conversation: Conversation<Value>, limitMs: number): Promise<Value> {
    const { clock } = this.#options;
    if (this.#breaker.open) throw this.#fault("slow");
    const startedMs = clock.monotonicMs();
    const connection = this.#connection ?? (await this.#expectConnection(limitMs));
    const sentMs = clock.monotonicMs();
    try {
      const value = await conversation(connection);
      if (this.#breaker.answered(clock.monotonicMs() - sentMs)) this.#leaveOut("answers come late");
      return value;
    } catch (error) {
      const slow = error instanceof ConnectionFault && error.reason === "slow";
      if (slow && this.#breaker.unanswered(clock.monotonicMs() - startedMs)) this.#leaveOut("answers do not come");
      throw error;
    }
  }

  /** Drops the connection and makes another, to whatever server the name stands for by now. */
  reconnect(fault: ConnectionFault): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.close();
    this.#lost(connection, fault);
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const cancel of [this.#cancelAttempt, this.#cancelProbe]) cancel();
    this.#renewal[Symbol.dispose]();
    this.#connection?.close();
    this.#connection = undefined;
    this.#hopeless = true;
    this.#outcome.resolve();
  }

  async #expectConnection(limitMs: number): Promise<Connection> {
    if (this.#hopeless) throw this.#fault("closed");
    await withinMs(this.#options.clock, limitMs, this.#outcome.promise);
    if (this.#connection !== undefined) return this.#connection;
    // A peer that swallows connection attempts is as slow as one that swallows commands.
    if (!this.#hopeless && this.#breaker.unanswered(limitMs)) this.#leaveOut("a connection takes long");
    throw this.#fault("closed");
  }

  #fault(reason: "slow" | "closed"): ConnectionFault {
    return new ConnectionFault(this.#failure ?? { reason, detail: "there is no connection" });
  }

  async #connect(): Promise<void> {
    try {
      const connection = await this.#open();
      if (this.#disposed) connection.close();
      else this.#adopt(connection);
    } catch (error) {
      if (!this.#disposed) this.#attemptFailed(toFault(error));
    }
  }

  #open(): Promise<Connection> {
    return Connection.open(this.#options, {
      onLost: (connection, fault) => this.#lost(connection, fault),
      onSluggish: (connection) => {
        if (this.#isCurrent(connection) && this.#breaker.trip()) this.#leaveOut("a PING is not answered");
      },
    });
  }

  #adopt(connection: Connection): void {
    this.#connection = connection;
    this.#connectedAtMs = this.#options.clock.monotonicMs();
    this.#hopeless = false;
    this.#settleOutcome();
    this.#renewal.start(connection);
    if (this.#breaker.open) void this.#probe();
    else this.#setState("up");
  }

  #attemptFailed(fault: ConnectionFault): void {
    this.#failures += 1;
    this.#hopeless = true;
    this.#setState("down", fault);
    this.#settleOutcome();
    this.#scheduleAttempt();
    this.#options.onFailedAttempt(this, this.#failures);
  }

  #lost(connection: Connection, fault: ConnectionFault): void {
    if (!this.#isCurrent(connection)) return;
    this.#connection = undefined;
    this.#renewal[Symbol.dispose]();
    this.#cancelProbe();
    this.#options.reporter.lost(this.server, fault);
    const livedMs = this.#options.clock.monotonicMs() - this.#connectedAtMs;
    this.#failures = livedMs >= this.#options.timing.stableMs ? 0 : this.#failures + 1;
    // A closed connection is most often back in a moment, and then nothing has changed.
    if (fault.reason !== "closed") {
      this.#hopeless = true;
      this.#setState("down", fault);
    }
    this.#scheduleAttempt();
  }

  #scheduleAttempt(): void {
    const { clock, timing, random } = this.#options;
    this.#cancelAttempt = clock.after(backOffMs(this.#failures, timing, random), () => void this.#connect());
  }

  #settleOutcome(): void {
    this.#outcome.resolve();
    this.#outcome = Promise.withResolvers<void>();
  }

  #leaveOut(detail: string): void {
    this.#setState("slow", { reason: "slow", detail });
    this.#scheduleProbe();
  }

  #scheduleProbe(): void {
    const { clock, timing, random } = this.#options;
    this.#cancelProbe();
    this.#cancelProbe = clock.after(timing.probeMs * (0.75 + 0.5 * random()), () => void this.#probe());
  }

  /** Without a connection there is nothing to try: the next one is tried when it comes. */
  async #probe(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const answered = await connection.exchange([{ name: "PING", args: [] }], this.#options.timing.slowMs).then(
      () => true,
      () => false,
    );
    if (!this.#isCurrent(connection)) return;
    if (!answered) {
      this.#setState("slow", { reason: "slow", detail: "a PING is not answered in time" });
      return this.#scheduleProbe();
    }
    this.#breaker.reset();
    this.#setState("up");
  }

  async #replace(connection: Connection): Promise<void> {
    const replacement = await this.#open();
    if (!this.#isCurrent(connection)) return replacement.close();
    this.#adopt(replacement);
    void connection.retire();
  }

  #isCurrent(connection: Connection): boolean {
    return connection === this.#connection;
  }

  #setState(state: ServerState, failure?: Failure): void {
    this.#state = state;
    this.#failure = failure;
    this.#options.reporter.state(this.server, state, failure);
  }
}

function toFault(error: unknown): ConnectionFault {
  return error instanceof ConnectionFault
    ? error
    : new ConnectionFault({ reason: "protocol", detail: "an unexpected error" });
}
