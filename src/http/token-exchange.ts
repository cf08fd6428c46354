import type { LineWaiter, PendingLine } from "../audit/output-lines.ts";
import { BridgeError, describeCauses } from "../lib/bridge-error.ts";
import type { Cancel } from "../lib/clock.ts";
import type { MaybePromise } from "../lib/maybe-promise.ts";
import { isOutage } from "../lib/upstream-verdict.ts";
import { OverBudget } from "../lib/over-budget.ts";
import { decide } from "./decide.ts";
import { refused, type Decision } from "./decision.ts";
import type { Refusal } from "./error-response.ts";
import type { Exchange } from "./exchange.ts";
import type { InFlight, Ticket, Watched } from "./in-flight.ts";
import { renderDecision } from "./render-decision.ts";
import { toResponse, type Reply } from "./reply.ts";
import type { Services } from "./services.ts";
import type { Work, WorkQueue } from "./work-queue.ts";

const OVERLOADED: Refusal = { code: "unavailable", cause: "too many requests in work", shed: "in-flight" };
const BUSY: Refusal = { code: "unavailable", cause: "waited too long for the processor", shed: "queue" };
const OVERDUE: Refusal = {
  code: "unavailable",
  cause: "no decision within the request's 20 seconds",
  shed: "deadline",
};
const STUCK: Refusal = { code: "unavailable", cause: "standard output takes no audit line", shed: "audit" };
const GONE: Refusal = { code: "client-gone", cause: "client closed request" };

/** How long a request that is overdue already still waits for its line: a line takes milliseconds unless standard output is stuck. */
const LAST_WAIT_MS = 1000;

/**
 * One token request from its arrival to its reply: decided, its audit line handed to the operating system, then answered. Whatever
 * hangs, a reply comes by the deadline; and no token leaves without its line.
 */
export function exchangeToken(exchange: Exchange, services: Services, { inFlight, queue }: Load): Promise<Response> {
  return new Promise((resolve) => new TokenExchange(exchange, services, inFlight, resolve).start(queue));
}

/** What is in work and what waits, in the whole service. */
export interface Load {
  readonly inFlight: InFlight;
  readonly queue: WorkQueue;
}

class TokenExchange implements Work, Watched, LineWaiter {
  readonly #exchange: Exchange;
  readonly #services: Services;
  readonly #ticket: Ticket | undefined;
  readonly #resolve: (response: Response) => void;
  readonly #startedMs: number;
  #state: "deciding" | "recording" | "answered" = "deciding";
  #line: PendingLine | undefined;
  /** What is said once its line has left. */
  #recorded: { readonly decision: Decision; readonly reply: Reply } | undefined;
  /** Thousands are refused in a second of overload, and each would keep all that is its own in memory for as long. */
  #endLastWait: Cancel | undefined;

  constructor(exchange: Exchange, services: Services, inFlight: InFlight, resolve: (response: Response) => void) {
    this.#exchange = exchange;
    this.#services = services;
    this.#ticket = inFlight.enter(this);
    this.#resolve = resolve;
    this.#startedMs = this.#ticket?.startedMs ?? services.clock.monotonicMs();
  }

  start(queue: WorkQueue): void {
    if (this.#ticket === undefined) return this.#refuse(OVERLOADED);
    // Here and not only when its line is due: what cannot be put on record must not cost a signature's verification.
    if (this.#services.audit.isOverfull()) return this.#refuse(STUCK);
    if (this.#exchange.body?.kind === "gone") return this.#refuse(GONE);
    queue.add(this, this.#startedMs);
  }

  refuse(): void {
    this.#refuse(BUSY);
  }

  onDeadline(): void {
    if (this.#state === "deciding") this.#refuse(OVERDUE);
    else this.#answerUnrecorded(STUCK);
  }

  /** Whatever goes wrong here is this request's own: others wait for the same write. */
  onDeparture(isWritten: boolean): void {
    try {
      if (!isWritten) this.#answerUnrecorded(STUCK);
      else if (this.#recorded !== undefined) this.#answer(this.#recorded.decision, this.#recorded.reply);
    } catch (error) {
      this.#services.onUnexpected(error);
    }
  }

  onWaiting(): void {
    this.#leaveIfGone();
  }

  /** Whether its client still waits is looked at by the sweep of deadlines alone: asking makes the runtime build a signal for the request. */
  begin(): void {
    if (this.#state !== "deciding") return;
    const { request } = this.#exchange;
    try {
      const decision = this.#decide();
      if (!(decision instanceof Promise)) return this.#record(decision);
      request.signal.addEventListener("abort", () => this.#leaveIfGone(), { once: true });
      this.#leaveIfGone();
      decision.then(
        (decided) => this.#record(decided),
        (error: unknown) => this.#fail(error),
      );
    } catch (error) {
      this.#fail(error);
    }
  }

  #decide(): MaybePromise<Decision> {
    const { observation } = this.#exchange;
    if (observation === undefined) return decide(this.#exchange, this.#services);
    return observation.run(() => decide(this.#exchange, this.#services));
  }

  #refuse(refusal: Refusal): void {
    if (this.#state !== "deciding") return;
    this.#exchange.interest.isOver = true;
    this.#exchange.scope.error(refusal.cause);
    this.#record(refused(refusal));
  }

  #fail(error: unknown): void {
    if (this.#state === "deciding") this.#refuse(this.#refusalFor(error));
  }

  /** From here on the decision stands, unless its line cannot be written. */
  #record(decision: Decision): void {
    if (this.#state !== "deciding") return;
    this.#state = "recording";
    const { audit, clock } = this.#services;
    if (audit.isOverfull()) {
      audit.countUnrecorded();
      return this.#answer(refused(STUCK));
    }
    const reply = this.#render(decision);
    const line = audit.request(this.#entry(reply.status));
    this.#line = line;
    this.#recorded = { decision, reply };
    line.tell(this);
    if (this.#ticket === undefined || this.#isOverdue())
      this.#endLastWait = clock.after(LAST_WAIT_MS, () => this.#answerUnrecorded(STUCK));
  }

  #leaveIfGone(): void {
    if (!this.#exchange.request.signal.aborted) return;
    this.#refuse(GONE);
    // Still here: its line waits to be written.
    this.#answerUnrecorded(GONE);
  }

  /** No line, no token: the caller gets a refusal, and the line that leaves when it can says so. */
  #answerUnrecorded(refusal: Refusal): void {
    if (this.#state !== "recording") return;
    const { audit } = this.#services;
    this.#exchange.scope.withoutToken();
    this.#exchange.scope.error(refusal.cause);
    const reply = this.#render(refused(refusal));
    const entry = this.#entry(reply.status);
    if (this.#line === undefined || !audit.replaceRequest(this.#line, entry)) audit.request(entry);
    this.#answer(refused(refusal), reply);
  }

  #answer(decision: Decision, reply: Reply = this.#render(decision)): void {
    if (this.#state === "answered") return;
    this.#state = "answered";
    this.#ticket?.leave();
    this.#endLastWait?.();
    this.#resolve(toResponse(reply));
    this.#observeEnd(decision, reply);
  }

  #observeEnd(decision: Decision, { status, text }: Reply): void {
    const { observation, body, scope } = this.#exchange;
    observation?.end({
      status,
      decision,
      durationMs: this.#durationMs(),
      requestBytes: body === undefined ? 0 : body.kind === "whole" ? body.bytes.byteLength : undefined,
      replyText: text,
      identity: scope.identity,
      resolved: scope.profile,
      source: scope.source,
    });
  }

  #durationMs(): number {
    return this.#services.clock.monotonicMs() - this.#startedMs;
  }

  #isOverdue(): boolean {
    return this.#ticket?.isOverdue() === true;
  }

  #render(decision: Decision): Reply {
    return renderDecision(decision, this.#exchange, this.#services.settings);
  }

  #entry(status: number) {
    const { scope, observation } = this.#exchange;
    return scope.entry(status, this.#durationMs(), this.#services.clock.nowMs(), observation?.traceId);
  }

  #refusalFor(error: unknown): Refusal {
    const cause = describeCauses(error);
    if (isOutage(error)) {
      const { retryAfterSeconds } = error.details;
      return { code: "unavailable", cause, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) };
    }
    if (error instanceof OverBudget) {
      return { code: "unavailable", cause, retryAfterSeconds: error.retryAfterSeconds, shed: "caller-budget" };
    }
    // Of a token that was made in passing and could not be put on record.
    if (error instanceof BridgeError && error.code === "output-failed") return STUCK;
    this.#services.onUnexpected(error);
    return { code: "internal", cause };
  }
}
