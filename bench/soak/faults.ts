import type { Interceptor } from "../../src/simulator/upstream-server.ts";

/** What can be wrong with one upstream, or with the store. */
export interface Fault {
  readonly name: string;
  /** Nobody can be asked, but nothing is refused: what is held serves on, and who asks for more gets 503 with Retry-After. */
  readonly kind: "outage" | "refusal" | "harmless";
  /** The issuer's keys cannot be had meanwhile, so nobody can say whether a key that is not known is one. */
  readonly hidesKeys?: boolean;
  readonly begin: () => void | Promise<void>;
  readonly end: () => void | Promise<void>;
}

/** A fault, and how long it has been over. */
export interface Trouble {
  readonly fault: Fault;
  readonly endedMs: number;
}

type Upstream = "github" | "buildkite" | "oidc";

/** Longer than the service waits. */
const HANG_MS = 30_000;
const SLOW_MS = 700;

const JSON_TYPE = { "content-type": "application/json" };
const WAYS: Readonly<Record<string, { readonly kind: Fault["kind"]; readonly intercept: Interceptor }>> = {
  "status 500": { kind: "outage", intercept: () => new Response("no", { status: 500 }) },
  "status 429": {
    kind: "outage",
    intercept: () => new Response("{}", { status: 429, headers: { ...JSON_TYPE, "retry-after": "4" } }),
  },
  hangs: {
    kind: "outage",
    intercept: async () => {
      await Bun.sleep(HANG_MS);
      return new Response("late", { status: 503 });
    },
  },
  slow: {
    kind: "harmless",
    intercept: async (_request, _upstream, proceed) => {
      await Bun.sleep(SLOW_MS);
      return proceed();
    },
  },
  "reset in the body": {
    kind: "outage",
    intercept: () =>
      new Response(
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(new TextEncoder().encode('{"id":'));
            setTimeout(() => controller.error(new Error("reset")), 5);
          },
        }),
        { status: 200, headers: JSON_TYPE },
      ),
  },
  garbage: { kind: "refusal", intercept: () => new Response('{"id":7,', { status: 200, headers: JSON_TYPE }) },
  "status 404": { kind: "refusal", intercept: () => Response.json({ message: "Not Found" }, { status: 404 }) },
};
const UPSTREAMS: readonly (readonly Upstream[])[] = [
  ["github"],
  ["buildkite"],
  ["oidc"],
  ["github", "buildkite", "oidc"],
];

/** Every way of every upstream, and of all at once; `install` puts what stands before the upstreams, undefined takes it away. */
export function upstreamFaults(install: (interceptor: Interceptor | undefined) => void): Fault[] {
  return UPSTREAMS.flatMap((upstreams) =>
    Object.entries(WAYS).map(([way, { kind, intercept }]) => ({
      name: `${upstreams.length > 1 ? "everything" : upstreams[0]}: ${way}`,
      // The issuer has no refusals, and its keys are held for a day.
      kind: upstreams.every((upstream) => upstream === "oidc") ? "harmless" : kind,
      hidesKeys: kind !== "harmless" && upstreams.includes("oidc"),
      begin: () =>
        install((request, upstream, proceed) =>
          upstreams.some((one) => one === upstream) ? intercept(request, upstream, proceed) : undefined,
        ),
      end: () => install(undefined),
    })),
  );
}

/** Faults one after another in a fixed order that mixes them, with a pause before each, until the time is over. */
export class FaultPlan {
  readonly #faults: readonly Fault[];
  /** Those that have ended, when, the last one last. */
  readonly #ended: (readonly [fault: Fault, atMs: number])[] = [];
  #current: Fault | undefined;
  readonly happened = new Map<string, number>();

  constructor(faults: readonly Fault[]) {
    this.#faults = faults;
  }

  async run(
    untilMs: number,
    { faultMs, pauseMs }: { readonly faultMs: number; readonly pauseMs: number },
  ): Promise<void> {
    // A stride without a common divisor visits all of them, neighbours far apart.
    for (let turn = 0; performance.now() + pauseMs + faultMs < untilMs; turn++) {
      await Bun.sleep(pauseMs);
      const fault = this.#faults[(turn * 11) % this.#faults.length];
      if (fault === undefined) throw new TypeError("there are faults");
      this.#current = fault;
      this.happened.set(fault.name, (this.happened.get(fault.name) ?? 0) + 1);
      await fault.begin();
      await Bun.sleep(faultMs);
      await fault.end();
      this.#ended.push([fault, performance.now()]);
      this.#current = undefined;
    }
  }

  /** What is wrong now, and what was within the last so many milliseconds. */
  lately(withinMs: number): readonly Trouble[] {
    const nowMs = performance.now();
    const past = this.#ended
      .map(([fault, atMs]) => ({ fault, endedMs: nowMs - atMs }))
      .filter(({ endedMs }) => endedMs < withinMs);
    return this.#current === undefined ? past : [...past, { fault: this.#current, endedMs: 0 }];
  }
}
