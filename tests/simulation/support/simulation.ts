import type { Scheduler } from "fast-check";
import { createSealedForm } from "../../../src/cache/entry-form.ts";
import { MARKER_KEY, parseMarker, PURGE_LASTS_MS } from "../../../src/purge/marker.ts";
import { orderPurge } from "../../../src/purge/order-purge.ts";
import type { PurgeScope } from "../../../src/purge/purge-scope.ts";
import { Instance, type Answer } from "./instance.ts";
import { Keysets } from "./keysets.ts";
import { Network, turn } from "./network.ts";
import { Outside, OWNER } from "./outside.ts";
import { PIPELINES, POLICIES, type PipelineName } from "./policies.ts";
import { SharedServer, type StoreLine } from "./shared-server.ts";
import { createSimulatedClock } from "./simulated-clock.ts";
import type { OrderedPurge, Surroundings } from "./surroundings.ts";

/** Which of the two. */
export type Who = 0 | 1;
export type Wish = "token" | "deploy" | "git, own repository" | "git, new repository";
export type Tampering = "put back" | "swap" | "garbage" | "delete" | "put marker back" | "delete marker";

const SKEWS_MS = [0, 20_000] as const;
/** Far more than a wait of half a minute has timers. */
const MOST_ROUNDS = 5_000;
const LONGEST_KEYSET_PERIOD_MS = 14.5 * 60_000;
const MARKER = `enc:${MARKER_KEY}`;

/** Two instances and all that lies around them, driven step by step. */
export class Simulation {
  readonly outside: Outside;
  readonly server: SharedServer;
  readonly counts: Map<string, number>;
  readonly keysets: Keysets;
  readonly #clock = createSimulatedClock();
  readonly #network: Network;
  readonly #operator: StoreLine;
  readonly #surroundings: Surroundings;
  readonly #purges = new Map<string, OrderedPurge>();
  readonly #putBack = new Set<string>();
  readonly #all: Instance[] = [];
  #instances: readonly [Instance, Instance];
  #waiting = 0;
  #random = 42;

  constructor(scheduler: Scheduler, counts: Map<string, number>) {
    this.counts = counts;
    this.#network = new Network(scheduler, this.#clock);
    this.outside = new Outside(this.#network, this.#clock);
    this.keysets = new Keysets(this.#network);
    this.server = new SharedServer(this.#network, this.#clock);
    const nothing = (): void => undefined;
    this.#operator = this.server.connect("operator", {
      trouble: nothing,
      reads: nothing,
      answered: nothing,
      removes: nothing,
      got: nothing,
    });
    this.#surroundings = {
      clock: this.#clock,
      outside: this.outside,
      server: this.server,
      random: () => {
        this.#random = (Math.imul(this.#random, 1664525) + 1013904223) >>> 0;
        return this.#random / 2 ** 32;
      },
      connectKeysets: (name) => this.keysets.connect(name),
      purges: this.#purges,
      putBack: this.#putBack,
      count: (what) => this.#count(what),
    };
    this.#instances = [this.#create(0), this.#create(1)];
    for (const pipeline of PIPELINES) this.outside.move(pipeline, pipeline);
  }

  async start(): Promise<void> {
    for (const instance of this.#instances) await instance.start();
  }

  at(who: Who): Instance {
    return this.#instances[who];
  }

  async ask(who: Who, pipeline: PipelineName, wish: Wish): Promise<void> {
    const instance = this.at(who);
    const mayHave = wish !== "deploy" || POLICIES[instance.policy].mayDeploy.includes(pipeline);
    this.#waiting += 1;
    const judge = ({ status, text }: Answer): void => {
      this.#waiting -= 1;
      this.#count(`status ${status}`);
      if (status !== 403 && !mayHave) instance.witness.accuse(`answers ${status} where its policy refuses`);
      if (![200, 403, 500, 503].includes(status)) instance.witness.accuse(`answers ${status}: ${text}`);
    };
    void this.#send(instance, pipeline, wish).then(judge);
    await arrive();
  }

  /** Lets so many things happen of those that are under way. */
  async step(count: number): Promise<void> {
    for (let done = 0; done < count && (await this.#network.step()); done++)
      if (done > MOST_ROUNDS) throw new Error("calls cause calls without end");
  }

  /** Time passes; meanwhile the network works, or nothing gets through. */
  async wait(ms: number, isFlowing: boolean): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + ms;
    for (let rounds = 0; ; rounds++) {
      if (rounds > MOST_ROUNDS) throw new Error("something is done again and again while time stands still");
      if (isFlowing) await this.step(Infinity);
      const nextMs = this.#clock.nextDueMs();
      if (nextMs > untilMs) break;
      this.#clock.moveTo(nextMs);
      this.#clock.runDue();
      await turn();
    }
    this.#clock.moveTo(untilMs);
  }

  /** Everything stands still for so long, then goes on. */
  async leap(ms: number): Promise<void> {
    this.#clock.moveTo(this.#clock.monotonicMs() + ms);
    this.#clock.runDue();
    await turn();
    await this.step(Infinity);
  }

  async restart(who: Who): Promise<void> {
    const started = this.#create(who);
    await this.at(who).stop();
    this.#instances = who === 0 ? [started, this.#instances[1]] : [this.#instances[0], started];
    await started.start();
  }

  purge(scope: PurgeScope): void {
    const id = `00000000-0000-4000-8000-${String(this.#purges.size).padStart(12, "0")}`;
    const issuedBeforeEpochSeconds = Math.floor(this.#clock.nowMs() / 1000) + 1;
    this.#purges.set(id, { scope, issuedBeforeEpochSeconds });
    const form = this.#operatorsForm();
    const { store } = this.#operator;
    void orderPurge({ id, scope, issuedBeforeEpochSeconds }, { store, form, clock: this.#clock, owner: id }).then(
      ({ kind }) => this.#count(`purge ${kind}`),
    );
  }

  tamper(how: Tampering, which: number): void {
    const { server } = this;
    const keys = server.keys().filter((key) => key !== MARKER);
    const pick = <T>(list: readonly T[]): T | undefined => list[which % list.length];
    const [key, other] = [pick(keys), keys[(which + 1) % keys.length]];
    const old = pick(server.written.filter((one) => (one[0] === MARKER) === (how === "put marker back")));
    if (how === "delete marker") return server.delete(MARKER);
    if (how === "put marker back" && old !== undefined) return server.put(...old);
    if (how === "put back" && old !== undefined) return this.#put(...old);
    if (key === undefined || other === undefined) return;
    if (how === "swap") this.#put(other, server.get(key) ?? "");
    if (how === "garbage") this.#put(key, "no ciphertext");
    if (how === "delete") server.delete(key);
  }

  /** What was found to be wrong, in either. */
  violation(): string | undefined {
    return this.#all.map(({ witness }) => witness.violation).find((one) => one !== undefined);
  }

  /** Everything gets well; then everybody has been answered, every purge is known, and everybody gets a token. */
  async settle(): Promise<string | undefined> {
    for (const name of ["github", "buildkite"] as const) {
      this.outside.condition[name] = "up";
      this.outside.refused[name].clear();
    }
    this.keysets.isReachable = true;
    for (const instance of this.#all) {
      instance.line.isUp = true;
      instance.canAnnounce = true;
    }
    for (let rounds = 0; this.#waiting > 0 && rounds < 10; rounds++) await this.wait(9_000, true);
    if (this.#waiting > 0) return `${this.#waiting} requests never get an answer`;
    // Refusals are forgotten, and the keyset in which a marker is sealed has been read: a reading that was under way has failed first.
    await this.leap(LONGEST_KEYSET_PERIOD_MS);
    await this.leap(LONGEST_KEYSET_PERIOD_MS);
    await this.wait(11_000, true);
    const unknown = this.#unnoticed();
    if (unknown !== undefined) return unknown;
    for (const instance of this.#all) instance.witness.settles();
    const statuses = this.#instances.map(async (instance) => (await this.#send(instance, "alpha", "token")).status);
    const answering = Promise.all(statuses);
    await arrive();
    await this.wait(4_000, true);
    const answered = await answering;
    if (answered.some((status) => status !== 200)) return `answers are ${answered.join()} though everything works`;
    return this.violation();
  }

  async end(): Promise<void> {
    for (const instance of this.#all) await instance.stop();
  }

  #unnoticed(): string | undefined {
    const text = this.server.get(MARKER);
    const opened = text === undefined ? undefined : this.#operatorsForm().open(MARKER_KEY, Buffer.from(text));
    const purges = opened?.kind === "text" ? (parseMarker(opened.text) ?? []) : [];
    const isInForce = ({ issuedBeforeEpochSeconds }: OrderedPurge): boolean =>
      issuedBeforeEpochSeconds * 1000 > this.#clock.nowMs() + 60_000 - PURGE_LASTS_MS;
    for (const { name, knows } of this.#instances)
      for (const { id } of purges.filter(isInForce)) if (!knows.has(id)) return `${name} has not noticed purge ${id}`;
    return undefined;
  }

  #send(instance: Instance, pipeline: PipelineName, wish: Wish): Promise<Answer> {
    if (wish === "token") return instance.ask(pipeline, "/token");
    if (wish === "deploy") return instance.ask(pipeline, "/organization/token/deploy");
    const repository = wish === "git, own repository" ? pipeline : `new-${pipeline}`;
    const about = `protocol=https\nhost=github.com\npath=${OWNER}/${repository}\n\n`;
    return instance.ask(pipeline, "/git-credentials", about);
  }

  #create(who: Who): Instance {
    const name = `${who === 0 ? "A" : "B"}${this.#all.length}`;
    const policy = this.#instances?.[who].policy ?? 0;
    const instance = new Instance(name, policy, SKEWS_MS[who], this.#surroundings);
    this.#all.push(instance);
    return instance;
  }

  #operatorsForm() {
    const { currentAead } = this.keysets;
    return createSealedForm({
      keyPrefix: "",
      currentAead,
      clock: this.#clock,
      observer: { ciphered: () => undefined },
    });
  }

  #put(key: string, text: string): void {
    this.server.put(key, text);
    this.#putBack.add(key.slice(4));
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

/** A body takes a few turns of the event loop to read, and a request may wait for the turn after. */
async function arrive(): Promise<void> {
  for (let turns = 0; turns < 6; turns++) await turn();
}
