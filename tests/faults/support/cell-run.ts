import { createHash } from "node:crypto";
import { describeCauses } from "../../../src/lib/bridge-error.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import {
  expectationOf,
  leftAloneSeconds,
  longestWaitMs,
  renewalLineOf,
  renewsTokens,
  type Expected,
} from "../expectations.ts";
import { isAws, type Cell, type Upstream } from "../lists.ts";
import { findLeaks } from "./canaries.ts";
import { createScaledClock, type ScaledClock } from "./scaled-clock.ts";
import { createBinarySubject, createSourceSubject, type Form, type RunningSubject, type Subject } from "./subject.ts";
import { openSurroundings, POLICY, type Surroundings, type SurroundingsOptions } from "./surroundings.ts";

/** Client calls at once, twice: an outage is asked about more than once. */
const WAVE = 10;
/** Where nothing should be asked, or each answer takes megabytes. */
const SMALL_WAVE = 3;
/** One pipeline holds a quarter of a host's connections at most, and here it asks for all. */
const CONNECTIONS = String(4 * WAVE);
const WAVES = 2;
/** What clients may cause at an upstream that cannot answer, repeats included. */
const CALLS_PER_CLIENT_CALL = 1.1;
/** Fewer client calls than this are no measure: a host has two repeats to begin with. */
const LEAST_COUNTED = 20;
/** The upstream is back: so long after it, so are tokens. */
const RECOVERY_MS = 5000;
const MINUTE_MS = 60_000;
/** How a problem begins that may be the machine's. */
export const SLOW = "too slow";

/** What an audit entry's error names. */
const LABELS: Readonly<Record<Upstream, RegExp>> = {
  oidc: /oidc|issuer/,
  buildkite: /buildkite/,
  "github tokens": /github/,
  "github contents": /github/,
  "github installation": /account is not known yet/,
  "kms sign": /kms/,
  "kms keyset": /kms/,
  "secrets manager": /secrets-manager/,
  // While credentials are waited for, the call that needs them may come to its end first.
  "ecs credentials": /aws-credentials|kms/,
  valkey: /valkey/,
};

interface Reply {
  readonly id: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly text: string;
  /** In the service's time, less what this process itself stood still. */
  readonly tookMs: number;
}

export interface CellOptions extends Omit<SurroundingsOptions, "clock"> {
  readonly form: Form;
  /** How long this process has stood still in all. */
  readonly lag: () => number;
}

/** Runs one cell. Resolves with what did not hold; empty when all did. */
export async function runCell(cell: Cell, options: CellOptions): Promise<readonly string[]> {
  // Valkey is given 250 ms a request, which cannot be scaled and told from noise. A binary has its own clock.
  const clock = createScaledClock(options.form === "binary" || cell.upstream === "valkey" ? 1 : 10);
  await using surroundings = await openSurroundings(cell.upstream, { ...options, clock });
  using _aws = isAws(cell.upstream) ? useAwsEnvironment(awsOf(surroundings.environment)) : undefined;
  const subject =
    options.form === "binary" ? createBinarySubject(options.caFile) : createSourceSubject(clock, surroundings.concerns);
  return await new CellRun({ cell, options, clock, surroundings, subject }).run();
}

interface CellParts {
  readonly cell: Cell;
  readonly options: CellOptions;
  readonly clock: ScaledClock;
  readonly surroundings: Surroundings;
  readonly subject: Subject;
}

class CellRun {
  readonly #parts: CellParts;
  readonly #expected: Expected;
  readonly #problems: string[] = [];
  /** What the service said elsewhere than in its output. */
  readonly #said: string[] = [];
  readonly #stop = new AbortController();
  #asked = 0;

  constructor(parts: CellParts) {
    this.#parts = parts;
    this.#expected = expectationOf(parts.cell);
  }

  async run(): Promise<readonly string[]> {
    const { cell, subject, surroundings } = this.#parts;
    let service: RunningSubject | undefined;
    try {
      service = cell.stage === "starting" ? await this.#startUnderFault() : await this.#startThenFail();
      if (service !== undefined) await this.#serve(service);
    } catch (error) {
      this.#problems.push(`it broke off: ${describeCauses(error)}`);
    } finally {
      this.#stop.abort(new Error("told to stop"));
      await this.#heal();
      await service?.stop();
    }
    const leaks = findLeaks([subject.text(), ...this.#said].join("\n"), surroundings.secrets());
    return [...this.#problems, ...leaks.map((name) => `${name} was put out`)];
  }

  async #startThenFail(): Promise<RunningSubject> {
    const service = await this.#start();
    if (this.#parts.cell.stage !== "cold") await this.#judge(await this.#ask(service, 0), { kind: "served" });
    await this.#fail();
    return service;
  }

  /** Undefined: it did not start, as it should not or although it should. */
  async #startUnderFault(): Promise<RunningSubject | undefined> {
    await this.#fail();
    const startedMs = this.#parts.clock.monotonicMs();
    const starting = this.#start().then(
      (service) => ({ kind: "started", service }) as const,
      (error: unknown) => ({ kind: "failed", text: describeCauses(error) }) as const,
    );
    const within = async (ms: number) => Promise.race([starting, this.#pause(ms)]);
    switch (this.#expected.kind) {
      case "refuses to start": {
        const outcome = await within(40_000);
        if (outcome?.kind === "started") return outcome.service;
        this.#judgeRefusal(outcome?.text, this.#parts.clock.monotonicMs() - startedMs);
        return undefined;
      }
      case "waits": {
        const early = await within(6000);
        if (early !== undefined) this.#problems.push(`it ${early.kind} while it should have waited`);
        await this.#heal();
        this.#passWhatUpstreamAsked();
        break;
      }
      default:
    }
    const outcome = await within(25_000);
    if (outcome?.kind === "started") return outcome.service;
    this.#problems.push(`it did not start: ${outcome?.text ?? "it still waits"}`);
    return undefined;
  }

  #judgeRefusal(text: string | undefined, tookMs: number): void {
    if (text === undefined) return void this.#problems.push("it should have refused to start, and still tries");
    this.#said.push(text);
    const [line = "", ...more] = text
      .split("\n")
      .filter((one) => one.includes("did not start") || !one.startsWith("{"));
    if (this.#parts.options.form === "source" && more.length > 0) this.#problems.push("the failure is not one line");
    if (!/step (secret|kms|keyset)/.test(text)) this.#problems.push(`the step is not named: ${line}`);
    if (tookMs > 33_000) this.#problems.push(`${SLOW}: it took ${Math.round(tookMs)} ms to refuse`);
  }

  async #serve(service: RunningSubject): Promise<void> {
    const { cell, subject, surroundings } = this.#parts;
    const expected = this.#expected;
    if (expected.kind === "refuses to start") return void this.#problems.push("it should have refused to start");
    const counted = (): number => Math.max(subject.attempts(), surroundings.asked());
    const before = counted();
    const askedBefore = this.#asked;
    if (cell.stage === "renewing") await this.#renews(service);
    const isSmall = expected.kind === "served" || expected.kind === "waits" || cell.fault === "over-long";
    for (let wave = 0; wave < WAVES; wave++) {
      const size = isSmall ? SMALL_WAVE : WAVE;
      const isOne = cell.stage === "hot" || cell.stage === "renewing";
      const replies = await Promise.all(
        Array.from({ length: size }, (_, index) => this.#ask(service, isOne ? 0 : wave * WAVE + index)),
      );
      for (const reply of replies) await this.#judge(reply, expected.kind === "waits" ? { kind: "served" } : expected);
    }
    const caused = counted() - before;
    const clientCalls = this.#asked - askedBefore;
    if (expected.kind !== "waits" && caused > Math.max(clientCalls, LEAST_COUNTED) * CALLS_PER_CLIENT_CALL)
      this.#problems.push(`${clientCalls} client calls caused ${caused} calls of the upstream`);
    const needsNothing = cell.stage === "hot" || (cell.stage === "cold" && expected.kind === "served");
    if (needsNothing && cell.upstream !== "valkey" && caused > 0)
      this.#problems.push(`nothing was to be asked, and ${caused} calls were made`);
    await this.#heal();
    // The SDK has its endpoint for good: a name that was lost then is not found again by the same process.
    const isLostForGood = cell.upstream === "kms sign" && cell.fault === "dns";
    if (expected.kind !== "unavailable" || isLostForGood) return;
    // A binary has its own clock, which nobody can set.
    if (this.#parts.options.form === "binary" && leftAloneSeconds(cell) > 0) return;
    this.#passWhatUpstreamAsked();
    await this.#recovers(service);
  }

  /** The time for which an upstream that named a limit is left alone. */
  #passWhatUpstreamAsked(): void {
    this.#parts.clock.jump(leftAloneSeconds(this.#parts.cell) * 1000);
  }

  /** Lets what is held fall due, and waits until its renewal has failed. */
  async #renews(service: RunningSubject): Promise<void> {
    const { cell, clock, subject, surroundings } = this.#parts;
    // Unchanged, the file is no more than a status, which can neither drip nor break off.
    if (cell.upstream === "github contents") surroundings.simulator.setPolicy(`${POLICY}# changed\n`);
    clock.jump(renewalOf(cell.upstream));
    // Whoever finds a token due has it all the same; it is renewed behind his back. Keys and entries are renewed when they are asked for.
    await this.#judge(await this.#ask(service, 0), { kind: "served" });
    const line = renewalLineOf(cell);
    const isSaid = (): boolean => line === undefined || subject.text().includes(line);
    const startedMs = clock.monotonicMs();
    while (!isSaid()) {
      if (clock.monotonicMs() - startedMs > 40_000) return void this.#problems.push(`no log line says "${line}"`);
      // A renewal that found no room, or a breaker open, is left to the next one who asks.
      if (renewsTokens(cell.upstream)) await this.#judge(await this.#ask(service, 0), undefined);
      await this.#pause(500);
    }
  }

  async #recovers(service: RunningSubject): Promise<void> {
    const { clock, subject } = this.#parts;
    const startedMs = clock.monotonicMs();
    for (;;) {
      const reply = await this.#ask(service, 0);
      if (reply.status === 200) return;
      if (clock.monotonicMs() - startedMs > RECOVERY_MS) {
        const [line] = await subject.auditOf(reply.id);
        return void this.#problems.push(`${SLOW}: no token 5 s after the upstream was back: ${line?.["error"]}`);
      }
      await this.#pause(500);
    }
  }

  async #ask({ port }: RunningSubject, number: number): Promise<Reply> {
    const { cell, clock, options, surroundings } = this.#parts;
    const id = `call-${++this.#asked}`;
    // Organization profiles for all repositories need neither Buildkite nor the account: nothing else is asked before KMS.
    const isForKms = cell.upstream === "kms sign" || cell.upstream === "ecs credentials";
    const path = isForKms ? `/organization/token/o${number}` : `/token/p${number}`;
    const startedMs = clock.monotonicMs();
    const lagBefore = options.lag();
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${surroundings.newJwt()}`, "x-request-id": id },
    });
    const text = await response.text();
    const tookMs = clock.monotonicMs() - startedMs - (options.lag() - lagBefore) * clock.scale;
    return { id, status: response.status, retryAfter: response.headers.get("retry-after"), text, tookMs };
  }

  /** Undefined: whatever it is, it must be told as it is. */
  async #judge({ id, status, retryAfter, text, tookMs }: Reply, expected: Expected | undefined): Promise<void> {
    const { cell, subject } = this.#parts;
    const lines = await subject.auditOf(id);
    const [line] = lines;
    const error = String(line?.["error"] ?? "");
    const isStalled = cell.fault !== "hang" && cell.fault !== "slow drip" && /in time|no decision within/.test(error);
    const blame = (what: string): void =>
      void this.#problems.push(`${isStalled ? SLOW : ""}${what}: ${status} ${error}`);
    if (tookMs > longestWaitMs(cell)) blame(`${SLOW}: the reply took ${Math.round(tookMs)} ms`);
    if (status !== 200) this.#said.push(text);
    if (lines.length !== 1 || line === undefined) return blame(`${lines.length} audit lines`);
    if (line["request"].status !== status) blame(`the audit entry says ${line["request"].status}`);
    const hash = status === 200 ? createHash("sha256").update(JSON.parse(text).token).digest("base64") : undefined;
    if (line["token"]?.hashedToken !== hash) blame("the audit entry has not the hash of what was vended");
    if (expected === undefined) return;
    if (expected.kind === "served") return status === 200 ? undefined : blame("not served");
    if (!LABELS[cell.upstream].test(error)) blame("the audit entry does not name the upstream");
    if (expected.kind === "unavailable") {
      if (status !== 503) return blame("not 503");
      // Whoever comes while the upstream is left alone is told what is left of that.
      const left = Math.min(leftAloneSeconds(cell), 60);
      const isLeft = Number(retryAfter) >= 1 && Number(retryAfter) <= left;
      if (retryAfter !== String(expected.retryAfterSeconds) && !isLeft) blame(`Retry-After is ${retryAfter}`);
    }
    if (expected.kind === "refused" && status !== expected.status) blame(`not ${expected.status}`);
  }

  #start(): Promise<RunningSubject> {
    const { cell, options, subject, surroundings } = this.#parts;
    const environment: Record<string, string> = {
      ...surroundings.environment,
      SERVER_OUTGOING_MAX_CONNS_PER_HOST: CONNECTIONS,
    };
    const isForKms = cell.upstream === "kms sign" || cell.upstream === "ecs credentials";
    // A policy from GitHub would have the App's JWT signed, and credentials loaded, before the cell begins.
    if (isForKms && cell.stage !== "starting") {
      delete environment["GITHUB_ORG_PROFILE"];
      environment["PROFILE_FILE"] = options.policyFile;
    }
    if (cell.fault === "dns" && cell.upstream === "valkey") environment["VALKEY_ADDRESS"] = "gone.invalid:6379";
    return subject.start(environment, this.#stop.signal);
  }

  async #fail(): Promise<void> {
    const { cell, subject, surroundings } = this.#parts;
    if (cell.fault === "dns") {
      subject.nameIsLost = true;
      const variable = ENDPOINTS[cell.upstream];
      const value = variable === undefined ? undefined : surroundings.environment[variable];
      if (variable !== undefined && value !== undefined)
        process.env[variable] = value.replace("127.0.0.1", "gone.invalid");
    }
    await surroundings.faulty.setFault(cell.fault);
  }

  async #heal(): Promise<void> {
    const { cell, subject, surroundings } = this.#parts;
    subject.nameIsLost = false;
    if (isAws(cell.upstream)) Object.assign(process.env, awsOf(surroundings.environment));
    await surroundings.faulty.setFault(undefined);
  }

  async #pause(ms: number): Promise<undefined> {
    await Bun.sleep(ms / this.#parts.clock.scale);
    return undefined;
  }
}

/** Where the AWS SDK reads its endpoints. */
const ENDPOINTS: Partial<Record<Upstream, string>> = {
  "kms sign": "AWS_ENDPOINT_URL_KMS",
  "kms keyset": "AWS_ENDPOINT_URL_KMS",
  "secrets manager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
  "ecs credentials": "AWS_CONTAINER_CREDENTIALS_FULL_URI",
};

/** How much time passes before what was had of the upstream is due, and not yet at its end. */
function renewalOf(upstream: Upstream): number {
  switch (upstream) {
    // For an hour; in use for a day while the issuer cannot be reached, and for good while GitHub cannot.
    case "oidc":
    case "github installation":
      return 61 * MINUTE_MS;
    case "github contents":
      return 6 * MINUTE_MS;
    case "kms keyset":
    case "secrets manager":
      return 15 * MINUTE_MS;
    // Credentials of an hour are refreshed from 40 minutes on.
    case "ecs credentials":
      return 46 * MINUTE_MS;
    // Read again from Valkey after five.
    case "valkey":
      return 6 * MINUTE_MS;
    // Half of a token's 45 minutes is over, and the App's JWT is at its end.
    case "buildkite":
    case "github tokens":
    case "kms sign":
      return 25 * MINUTE_MS;
  }
}

function awsOf(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith("AWS_")));
}
