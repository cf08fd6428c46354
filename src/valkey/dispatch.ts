import type { Clock } from "../lib/clock.ts";
import type { Address } from "./address.ts";
import type { Budget } from "./budget.ts";
import type { Command, Connection, Reply } from "./connection.ts";
import { ConnectionFault, type Failure, Refusal } from "./failure.ts";
import { hashSlot } from "./hash-slot.ts";
import type { Conversation, Link } from "./link.ts";
import { parseRedirect, type Redirect } from "./redirect.ts";
import type { Reporter } from "./reporter.ts";
import type { Routes } from "./routes.ts";

/** Redirects and lost connections that one piece of work survives; a cluster in order needs one or two. */
const MOST_HOPS = 6;

export type Exchange = (commands: readonly Command[]) => Promise<readonly Reply[]>;

/** Work for the server that has a key. It returns the replies that count, the redirects among them. */
export interface Work {
  readonly run: (exchange: Exchange) => Promise<readonly Reply[]>;
  /** No other exclusive work runs on the connection meanwhile. */
  readonly exclusive?: boolean;
}

/** The replies, or why there are none. */
export type Outcome =
  | { readonly kind: "answered"; readonly replies: readonly Reply[] }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Gets work done by the server that has the key: follows redirects, survives lost connections, keeps to the budget. */
export class Dispatcher {
  readonly #routes: Routes;
  readonly #clock: Clock;
  readonly #reporter: Reporter;

  constructor(routes: Routes, clock: Clock, reporter: Reporter) {
    this.#routes = routes;
    this.#clock = clock;
    this.#reporter = reporter;
  }

  /**
   * Never rejects because of the server, and takes its time from the budget. Work whose connection is lost is done again
   * on the next one, so it must bear being done twice.
   */
  async perform(key: string, budget: Budget, work: Work): Promise<Outcome> {
    const untilMs = this.#clock.monotonicMs() + budget.leftMs;
    try {
      const result = await this.#follow(hashSlot(key), untilMs, work);
      if (result instanceof ConnectionFault) return { kind: "failed", failure: result };
      return { kind: "answered", replies: result };
    } finally {
      budget.leftMs = Math.max(0, untilMs - this.#clock.monotonicMs());
    }
  }

  async #follow(slot: number, untilMs: number, work: Work): Promise<readonly Reply[] | ConnectionFault> {
    let link = this.#routes.linkFor(slot);
    let asking = false;
    let fault = new ConnectionFault({ reason: "slow", detail: "the request has no time left for it" });
    for (let hop = 0; hop < MOST_HOPS && this.#clock.monotonicMs() < untilMs; hop++) {
      const result = await this.#attempt(link, untilMs, asking, work);
      if (result instanceof ConnectionFault) {
        const next = this.#nextAfter(link, result, slot);
        if (next === undefined) return result;
        [link, asking, fault] = [next, false, result];
        continue;
      }
      const redirect = findRedirect(result, link.address);
      if (redirect === undefined) return result;
      asking = redirect.kind === "ask";
      link = asking ? this.#routes.linkTo(redirect.address) : this.#routes.move(slot, redirect.address);
      fault = new ConnectionFault({ reason: "clusterdown", detail: "redirected without end" });
    }
    return fault;
  }

  /** A closed connection is worth another try where a new one can be expected, a dead server a detour. */
  #nextAfter(link: Link, fault: ConnectionFault, slot: number): Link | undefined {
    if (fault.reason === "slow") return undefined;
    if (fault.reason === "closed" && link.hopeful) return this.#routes.linkFor(slot);
    return this.#routes.detour(link);
  }

  async #attempt(
    link: Link,
    untilMs: number,
    asking: boolean,
    work: Work,
  ): Promise<readonly Reply[] | ConnectionFault> {
    const answers = new Map<string, Reply>();
    const converse: Conversation<readonly Reply[]> = (connection) => {
      const run = (): Promise<readonly Reply[]> =>
        work.run(async (commands) => {
          const replies = await this.#exchange(connection, commands, untilMs, asking);
          for (const [index, { name }] of commands.entries()) answers.set(name, replies[index]);
          return replies;
        });
      return work.exclusive === true ? connection.exclusively(run) : run();
    };
    try {
      const replies = await link.converse(converse, untilMs - this.#clock.monotonicMs());
      this.#report(link, answers);
      return replies;
    } catch (error) {
      if (error instanceof ConnectionFault) return error;
      throw error;
    }
  }

  async #exchange(
    connection: Connection,
    commands: readonly Command[],
    untilMs: number,
    asking: boolean,
  ): Promise<readonly Reply[]> {
    const leftMs = untilMs - this.#clock.monotonicMs();
    if (!asking) return connection.exchange(commands, leftMs);
    // ASKING counts for the next command only.
    const asked = commands.flatMap((command) => [{ name: "ASKING", args: [] }, command]);
    const replies = await connection.exchange(asked, leftMs);
    return replies.filter((_reply, index) => index % 2 === 1);
  }

  #report(link: Link, answers: ReadonlyMap<string, Reply>): void {
    for (const [name, reply] of answers) {
      if (!(reply instanceof Refusal) || isAboutKey(reply)) {
        this.#reporter.accepted(link.server, name);
        continue;
      }
      this.#reporter.refused(link.server, name, reply);
      // The server has become a replica: its name, looked up again, leads to the primary.
      if (reply.reason === "readonly") link.reconnect(new ConnectionFault(reply));
    }
  }
}

function findRedirect(replies: readonly Reply[], answeredBy: Address): Redirect | undefined {
  for (const reply of replies) {
    const redirect = reply instanceof Refusal ? parseRedirect(reply.text, answeredBy) : undefined;
    if (redirect !== undefined) return redirect;
  }
  return undefined;
}

/**
 * Says something about where the key is or what it holds, not about the server or our permissions. `EXECABORT` follows the refusal of
 * another command, which is told.
 */
function isAboutKey({ text }: Refusal): boolean {
  return /^(MOVED|ASK|TRYAGAIN|WRONGTYPE|EXECABORT Transaction discarded because of previous)\b/.test(text);
}
