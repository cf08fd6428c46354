import { RedisClient } from "bun";
import type { Clock } from "../lib/clock.ts";
import { type Address, formatAddress } from "./address.ts";
import type { Credentials, CredentialSource } from "./credential-source.ts";
import { withinMs } from "./deadline.ts";
import { diagnose } from "./diagnose.ts";
import { classifyRejection, ConnectionFault, Refusal } from "./failure.ts";
import type { Timing } from "./timing.ts";
import type { TlsOptions } from "./tls.ts";

export interface Command {
  readonly name: string;
  readonly args: readonly string[];
}

/** What the server answered to one command; `GET` gives bytes. A refusal is an answer. */
export type Reply = unknown;

export interface ConnectionOptions {
  readonly address: Address;
  /** Absent: plain TCP. */
  readonly tls: TlsOptions | undefined;
  /** Absent: the server asks for none. */
  readonly credentials: CredentialSource | undefined;
  readonly clock: Clock;
  readonly timing: Timing;
}

export interface ConnectionListener {
  /** The connection ended and not by `close()`. Called once at most. */
  readonly onLost: (connection: Connection, fault: ConnectionFault) => void;
  /** A PING has gone unanswered for too long to make anybody wait for this server. */
  readonly onSluggish: (connection: Connection) => void;
}

const PING: Command = { name: "PING", args: [] };

/**
 * One authenticated connection over Bun's client, whose own reconnecting is off: it would use the old password.
 *
 * Bun's client gives commands no deadline and does not notice a silent peer; both are done here.
 */
export class Connection implements Disposable {
  readonly #client: RedisClient;
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  #ended = false;
  #cancelHeartbeat = (): void => undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(client: RedisClient, options: ConnectionOptions, listener: ConnectionListener) {
    this.#client = client;
    this.#options = options;
    this.#listener = listener;
  }

  /**
   * Connects, authenticates with fresh credentials, and proves it with a PING.
   *
   * @throws {ConnectionFault} with the reason that is behind it
   */
  static async open(options: ConnectionOptions, listener: ConnectionListener): Promise<Connection> {
    const credentials = await obtainCredentials(options);
    const connection = new Connection(createClient(options, credentials), options, listener);
    try {
      // Neither connect() nor onclose carries a reason; the rejection of a command does.
      const [pong] = await connection.exchange([PING], options.timing.connectMs);
      if (pong instanceof Refusal && pong.reason !== "noperm") throw new ConnectionFault(pong);
    } catch (error) {
      connection.close();
      throw await findReason(error, options);
    }
    connection.#watch();
    return connection;
  }

  /**
   * Sends commands in one go and in this order, and gives their replies.
   *
   * @throws {ConnectionFault} `slow` when they do not all come in time (they may still have been executed), another
   *   reason when the connection ended before
   */
  async exchange(commands: readonly Command[], limitMs: number): Promise<readonly Reply[]> {
    if (limitMs <= 0) throw new ConnectionFault({ reason: "slow", detail: "no time was left to send it" });
    const replies = Promise.all(commands.map((command) => this.#send(command)));
    const inTime = await withinMs(this.#options.clock, limitMs, replies);
    if (inTime !== undefined) return inTime;
    throw new ConnectionFault({ reason: "slow", detail: `no answer within ${Math.round(limitMs)} ms` });
  }

  /** Runs one piece of work at a time, for commands whose meaning spans several exchanges (`WATCH` to `EXEC`). */
  exclusively<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Replaces the identity that the server holds for this connection, which AWS counts as a new connection's. */
  async authenticate(): Promise<void> {
    const credentials = await obtainCredentials(this.#options);
    if (credentials === undefined) return;
    const { username, password } = credentials;
    const auth: Command = { name: "AUTH", args: [username, password] };
    const [reply] = await this.exchange([auth], this.#options.timing.connectMs);
    if (reply instanceof Refusal) throw new ConnectionFault(reply);
  }

  /** Lets commands that are on their way finish, then closes. The server answers in order, so a PING shows that. */
  async retire(): Promise<void> {
    await this.exchange([PING], this.#options.timing.connectMs).catch(() => undefined);
    this.close();
  }

  /** Every command still waiting rejects. */
  close(): void {
    this.#ended = true;
    this.#cancelHeartbeat();
    this.#client.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #send({ name, args }: Command): Promise<Reply> {
    try {
      // Bun decodes other replies as text, which would mend bytes that are not UTF-8.
      if (name === "GET") return await this.#client.getBuffer(args[0] ?? "");
      return await this.#client.send(name, [...args]);
    } catch (error) {
      const outcome = classifyRejection(error);
      if (outcome instanceof Refusal) return outcome;
      throw outcome;
    }
  }

  #watch(): void {
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- Bun's client has no other way
    this.#client.onclose = () => this.#lose({ reason: "closed", detail: "the connection was closed" });
    // It may have closed between the PING's answer and now.
    if (this.#client.connected) this.#scheduleHeartbeat();
    else this.#options.clock.after(0, () => this.#lose({ reason: "closed", detail: "the connection was closed" }));
  }

  #scheduleHeartbeat(): void {
    this.#cancelHeartbeat = this.#options.clock.after(this.#options.timing.heartbeatMs, () => void this.#heartbeat());
  }

  async #heartbeat(): Promise<void> {
    const { clock, timing } = this.#options;
    const pong = this.exchange([PING], timing.silentMs).then(
      () => ({ alive: true }),
      () => ({ alive: false }),
    );
    const early = await withinMs(clock, timing.probeMs, pong);
    if (early === undefined && !this.#ended) this.#listener.onSluggish(this);
    const { alive } = early ?? (await pong);
    if (this.#ended) return;
    if (alive) this.#scheduleHeartbeat();
    else this.#lose({ reason: "silent", detail: `no answer to a PING for ${timing.silentMs} ms` });
  }

  #lose(failure: Pick<ConnectionFault, "reason" | "detail">): void {
    if (this.#ended) return;
    this.close();
    this.#listener.onLost(this, new ConnectionFault(failure));
  }
}

function createClient({ address, tls, timing }: ConnectionOptions, credentials: Credentials | undefined): RedisClient {
  const user =
    credentials === undefined
      ? ""
      : `${encodeURIComponent(credentials.username)}:${encodeURIComponent(credentials.password)}@`;
  const url = `${tls === undefined ? "redis" : "rediss"}://${user}${formatAddress(address)}`;
  return new RedisClient(url, {
    autoReconnect: false,
    connectionTimeout: timing.connectMs,
    // It halves the throughput of many independent callers; commands of one exchange go out together anyway.
    enableAutoPipelining: false,
    ...(tls === undefined ? {} : { tls }),
  });
}

async function obtainCredentials({ credentials, clock, timing }: ConnectionOptions): Promise<Credentials | undefined> {
  if (credentials === undefined) return undefined;
  const obtained = await withinMs(clock, timing.connectMs, Promise.try(credentials)).catch((cause: unknown) => {
    // Only the kind of error: its text is somebody else's and may quote what it failed with.
    const kind = cause instanceof Error ? cause.name : "unknown error";
    throw new ConnectionFault({ reason: "credentials", detail: `credentials could not be had: ${kind}` });
  });
  if (obtained !== undefined) return obtained;
  throw new ConnectionFault({ reason: "credentials", detail: "credentials could not be had in time" });
}

async function findReason(error: unknown, { address, tls, clock }: ConnectionOptions): Promise<ConnectionFault> {
  const fault = error instanceof ConnectionFault ? error : classifyConstruction();
  if (fault.reason === "slow") return new ConnectionFault({ reason: "timeout", detail: "no answer while connecting" });
  if (fault.reason !== "closed") return fault;
  return (await diagnose(address, tls, clock)) ?? (tls === undefined ? closedInClear() : fault);
}

function closedInClear(): ConnectionFault {
  return new ConnectionFault({
    reason: "closed",
    detail: "the connection was closed, as a server that speaks TLS does",
  });
}

function classifyConstruction(): ConnectionFault {
  return new ConnectionFault({ reason: "protocol", detail: "the connection could not be set up" });
}
