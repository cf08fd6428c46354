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
import { createScaledClock } from "./scaled-clock.ts";
import { createMachine, createOutput, startUnderTest, type ServiceUnderTest, type Written } from "./service.ts";
import { openSurroundings, POLICY, type SurroundingsOptions } from "./surroundings.ts";

/** Client calls at once, twice: an outage is asked about more than once. */
const WAVE = 10;
/** Where nothing should be asked, or each answer takes megabytes. */
const SMALL_WAVE = 3;
const WAVES = 2;
/** One pipeline holds a quarter of a host's connections at most, and here it asks for all. */
const CONNECTIONS = String(4 * WAVE);
/** What clients may cause at an upstream that cannot answer, retries included. */
const CALLS_PER_CLIENT_CALL = 1.1;
const MINUTE_MS = 60_000;
/** Fewer client calls than this are no measure: a host has two repeats to begin with. */
const LEAST_COUNTED = 20;
/** How a problem begins that may be the machine's. */
export const SLOW = "too slow";

/** What an audit entry's error names. */
const LABELS: Readonly<Record<Upstream, RegExp>> = {
  oidc: /oidc|issuer/,
  buildkite: /buildkite/,
  "github tokens": /github/,
  "github contents": /github/,
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

/** Runs one cell. Resolves with what did not hold; empty when all did. */
export async function runCell(
  cell: Cell,
  options: Omit<SurroundingsOptions, "clock">,
  lag: () => number,
): Promise<readonly string[]> {
  return new CellRun(cell, options, lag).run();
}

class CellRun {
  readonly #cell: Cell;
  readonly #options: Omit<SurroundingsOptions, "clock">;
  readonly #lag: () => number;
  readonly #clock;
  readonly #problems: string[] = [];
  readonly #said: string[] = [];
  #asked = 0;
  #attempts = 0;
  #isNameLost = false;

  constructor(cell: Cell, options: Omit<SurroundingsOptions, "clock">, lag: () => number) {
    this.#cell = cell;
    this.#options = options;
    this.#lag = lag;
    // Valkey is given 250 ms a request, which cannot be scaled and told from noise.
    this.#clock = createScaledClock(cell.upstream === "valkey" ? 1 : 10);
  }

  async run(): Promise<readonly string[]> {
    const { upstream, stage } = this.#cell;
    const clock = this.#clock;
    await using surroundings = await openSurroundings(upstream, { ...this.#options, clock });
    using _aws = isAws(upstream) ? useAwsEnvironment(awsOf(surroundings.environment)) : undefined;
    const machine = createMachine(clock, (url) => {
      if (!surroundings.concerns(url)) return url;
      this.#attempts += 1;
      return this.#isNameLost ? url.replace("127.0.0.1", "gone.invalid") : url;
    });
    const { output, written } = createOutput(clock);
    const stop = new AbortController();
    const asksGitHubAtStart = stage === "starting" || !(upstream === "kms sign" || upstream === "ecs credentials");
    const environment: Record<string, string> = {
      ...surroundings.environment,
      SERVER_OUTGOING_MAX_CONNS_PER_HOST: CONNECTIONS,
    };
    if (!asksGitHubAtStart) {
      delete environment["GITHUB_ORG_PROFILE"];
      environment["PROFILE_FILE"] = this.#options.policyFile;
    }
    if (this.#cell.fault === "dns" && upstream === "valkey") environment["VALKEY_ADDRESS"] = "gone.invalid:6379";
    const start = (): Promise<ServiceUnderTest> => startUnderTest(environment, machine, output, stop.signal);
    const fail = (): Promise<void> => {
      this.#isNameLost = this.#cell.fault === "dns";
      if (isAws(upstream)) Object.assign(process.env, this.#withLostName(awsOf(surroundings.environment)));
      return surroundings.faulty.setFault(this.#cell.fault);
    };
    const heal = async (): Promise<void> => {
      this.#isNameLost = false;
      if (isAws(upstream)) Object.assign(process.env, awsOf(surroundings.environment));
      await surroundings.faulty.setFault(undefined);
    };
    const ask = (service: ServiceUnderTest, number: number): Promise<Reply> =>
      this.#ask(service, number, surroundings.newJwt());
    const counted = (): number => Math.max(this.#attempts, surroundings.asked());
    const expected = expectationOf(this.#cell);
    let service: ServiceUnderTest | undefined;
    try {
      if (stage === "starting") {
        await fail();
        service = await this.#runStart(expected, start, heal, () => stop.abort(new Error("told to stop")));
      } else {
        service = await start();
        if (stage !== "cold") this.#judge(await ask(service, 0), { kind: "served" }, written);
        await fail();
      }
      if (service !== undefined) {
        const before = counted();
        const askedBefore = this.#asked;
        // Unchanged, the file is no more than a status, which can neither drip nor break off.
        if (upstream === "github contents" && stage === "renewing")
          surroundings.simulator.setPolicy(`${POLICY}# changed\n`);
        if (stage === "renewing") await this.#renews(service, ask, written);
        const isSmall = expected.kind === "served" || expected.kind === "waits" || this.#cell.fault === "over-long";
        const size = isSmall ? SMALL_WAVE : WAVE;
        const replies: Reply[] = [];
        for (let wave = 0; wave < WAVES; wave++) {
          const wanted = Array.from({ length: size }, (_, index) =>
            stage === "hot" || stage === "renewing" ? 0 : wave * WAVE + index,
          );
          const running = service;
          replies.push(...(await Promise.all(wanted.map((number) => ask(running, number)))));
        }
        const isStartOver = expected.kind === "waits";
        for (const reply of replies) this.#judge(reply, isStartOver ? { kind: "served" } : expected, written);
        const caused = counted() - before;
        const clientCalls = this.#asked - askedBefore;
        if (!isStartOver && caused > Math.max(clientCalls, LEAST_COUNTED) * CALLS_PER_CLIENT_CALL)
          this.#problems.push(`${clientCalls} client calls caused ${caused} calls of the upstream`);
        const isLate = stage === "hot" || (stage === "cold" && expected.kind === "served");
        if (isLate && upstream !== "valkey" && caused > 0)
          this.#problems.push(`nothing was to be asked, and ${caused} calls were made`);
        await heal();
        // The SDK has its endpoint for good: a name that was lost then is not found again by the same process.
        const isLostForGood = upstream === "kms sign" && this.#cell.fault === "dns";
        if (expected.kind === "unavailable" && !isLostForGood) await this.#recovers(service, ask, written);
      }
    } catch (error) {
      this.#problems.push(`it broke off: ${describeCauses(error)}`);
    } finally {
      stop.abort(new Error("told to stop"));
      await heal();
      await service?.stop();
    }
    const leaks = findLeaks([written.text(), ...this.#said].join("\n"), surroundings.secrets());
    return [...this.#problems, ...leaks.map((name) => `${name} was put out`)];
  }

  async #runStart(
    expected: Expected,
    start: () => Promise<ServiceUnderTest>,
    heal: () => Promise<void>,
    abort: () => void,
  ): Promise<ServiceUnderTest | undefined> {
    const startedMs = this.#clock.monotonicMs();
    const elapsedMs = (): number => this.#clock.monotonicMs() - startedMs;
    const starting = start().then(
      (service) => ({ kind: "started", service }) as const,
      (error: unknown) => ({ kind: "failed", text: describeCauses(error) }) as const,
    );
    switch (expected.kind) {
      case "refuses to start": {
        const outcome = await Promise.race([starting, this.#pause(40_000)]);
        if (outcome?.kind !== "failed") this.#problems.push("it should have refused to start");
        else {
          this.#said.push(outcome.text);
          if (outcome.text.includes("\n")) this.#problems.push("the failure is more than one line");
          if (!/secret|kms|keyset/.test(outcome.text)) this.#problems.push(`the step is not named: ${outcome.text}`);
          if (elapsedMs() > 33_000) this.#problems.push(`${SLOW}: it took ${Math.round(elapsedMs())} ms to refuse`);
        }
        if (outcome === undefined) abort();
        return outcome?.kind === "started" ? outcome.service : undefined;
      }
      case "waits": {
        const early = await Promise.race([starting, this.#pause(6000)]);
        if (early !== undefined) this.#problems.push(`it ${early.kind} while it should have waited`);
        await heal();
        this.#clock.jump(leftAloneSeconds(this.#cell) * 1000);
        const outcome = await Promise.race([starting, this.#pause(25_000)]);
        if (outcome?.kind === "started") return outcome.service;
        this.#problems.push(`it did not start when the upstream was back: ${outcome?.text ?? "it still waits"}`);
        abort();
        return undefined;
      }
      default: {
        const outcome = await Promise.race([starting, this.#pause(15_000)]);
        if (outcome?.kind === "started") return outcome.service;
        this.#problems.push(`it did not start: ${outcome?.text ?? "it still waits"}`);
        abort();
        return undefined;
      }
    }
  }

  /** Lets what is held fall due, and waits until its renewal has failed. */
  async #renews(
    service: ServiceUnderTest,
    ask: (service: ServiceUnderTest, number: number) => Promise<Reply>,
    written: Written,
  ): Promise<void> {
    const { upstream } = this.#cell;
    this.#clock.jump(renewalOf(upstream));
    // Whoever finds a token due has it all the same; it is renewed behind his back. Keys and entries are renewed when they are asked for.
    this.#judge(await ask(service, 0), { kind: "served" }, written);
    const line = renewalLineOf(this.#cell);
    const startedMs = this.#clock.monotonicMs();
    const isSaid = (): boolean => line === undefined || written.text().includes(line);
    while (!isSaid()) {
      if (this.#clock.monotonicMs() - startedMs > 40_000) return void this.#problems.push(`no log line says "${line}"`);
      // A renewal that found no room, or a breaker open, is left to the next one who asks.
      if (renewsTokens(upstream)) this.#judge(await ask(service, 0), undefined, written);
      await this.#pause(500);
    }
  }

  async #recovers(
    service: ServiceUnderTest,
    ask: (service: ServiceUnderTest, number: number) => Promise<Reply>,
    written: Written,
  ): Promise<void> {
    this.#clock.jump(leftAloneSeconds(this.#cell) * 1000);
    // What the client was told to wait at most, when nobody said otherwise.
    await this.#pause(5000);
    const reply = await ask(service, 0);
    if (reply.status !== 200)
      this.#problems.push(
        `5 s after the upstream was back: ${reply.status}: ${JSON.stringify(written.auditOf(reply.id))}`,
      );
  }

  async #ask({ port }: ServiceUnderTest, number: number, jwt: string): Promise<Reply> {
    const { upstream } = this.#cell;
    const id = `call-${++this.#asked}`;
    // Organization profiles for all repositories need neither Buildkite nor the account: nothing else is asked before KMS.
    const path =
      upstream === "kms sign" || upstream === "ecs credentials"
        ? `/organization/token/o${number}`
        : `/token/p${number}`;
    const startedMs = this.#clock.monotonicMs();
    const lagBefore = this.#lag();
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
    });
    const text = await response.text();
    const tookMs = this.#clock.monotonicMs() - startedMs - (this.#lag() - lagBefore) * this.#clock.scale;
    return { id, status: response.status, retryAfter: response.headers.get("retry-after"), text, tookMs };
  }

  #judge(reply: Reply, expected: Expected | undefined, written: Written): void {
    const { id, status, retryAfter, text, tookMs } = reply;
    const lines = written.auditOf(id);
    const [line] = lines;
    const { fault } = this.#cell;
    const isStalled =
      fault !== "hang" && fault !== "slow drip" && /in time|no decision within/.test(line?.["error"] ?? "");
    const blame = (what: string): void =>
      void this.#problems.push(`${isStalled ? SLOW : ""}${what}: ${status} ${line?.["error"] ?? ""}`);
    const limitMs = longestWaitMs(this.#cell);
    if (tookMs > limitMs) blame(`${SLOW}: the reply took ${Math.round(tookMs)} ms`);
    if (lines.length !== 1 || line === undefined) return blame(`${lines.length} audit lines`);
    if (line["request"].status !== status) blame(`the audit entry says ${line["request"].status}`);
    if (expected === undefined) return;
    if (expected.kind === "served") {
      if (status !== 200) return blame("not served");
      const { token } = JSON.parse(text);
      const hash = createHash("sha256").update(token).digest("base64");
      if (line["token"]?.hashedToken !== hash) blame("the audit entry has not the token's hash");
      return;
    }
    this.#said.push(text);
    if (line["token"]?.hashedToken !== undefined) blame("the audit entry has a token's hash");
    if (!LABELS[this.#cell.upstream].test(line["error"] ?? "")) blame("the audit entry does not name the upstream");
    if (expected.kind === "unavailable") {
      if (status !== 503) return blame("not 503");
      // Whoever comes while the upstream is left alone is told what is left of that.
      const left = Math.min(leftAloneSeconds(this.#cell), 60);
      const isLeft = Number(retryAfter) >= 1 && Number(retryAfter) <= left;
      if (retryAfter !== String(expected.retryAfterSeconds) && !isLeft) blame(`Retry-After is ${retryAfter}`);
    }
    if (expected.kind === "refused" && status !== expected.status) blame(`not ${expected.status}`);
  }

  async #pause(ms: number): Promise<undefined> {
    await Bun.sleep(ms / this.#clock.scale);
    return undefined;
  }

  #withLostName(variables: Record<string, string>): Record<string, string> {
    const { fault, stage, upstream } = this.#cell;
    if (fault !== "dns" || (upstream !== "ecs credentials" && stage !== "starting" && stage !== "cold"))
      return variables;
    const name = {
      "kms sign": "AWS_ENDPOINT_URL_KMS",
      "kms keyset": "AWS_ENDPOINT_URL_KMS",
      "secrets manager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
      "ecs credentials": "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    }[upstream as string];
    if (name === undefined) return variables;
    return { ...variables, [name]: (variables[name] ?? "").replace("127.0.0.1", "gone.invalid") };
  }
}

/** How much time passes before what was had of the upstream is due, and not yet at its end. */
function renewalOf(upstream: Upstream): number {
  switch (upstream) {
    // Keys for an hour; in use for a day while the issuer cannot be reached.
    case "oidc":
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
    default:
      return 25 * MINUTE_MS;
  }
}

function awsOf(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith("AWS_")));
}
