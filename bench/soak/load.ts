import type { Simulator } from "../../src/simulator/simulator.ts";
import type { Trouble } from "./faults.ts";

export type Kind = "cached" | "git" | "cold" | "refused" | "hostile";
export const KINDS: readonly Kind[] = ["cached", "git", "cold", "refused", "hostile"];

/** One request and what may come of it. */
export interface Ask {
  readonly path: string;
  readonly jwt: string;
  readonly body?: string;
  readonly expected: number;
  /** Whether it needs nobody but what is held: then no outage may be noticed. */
  readonly isHeld: boolean;
  /** Whether its key is unknown: then it cannot be judged while the issuer cannot be asked. */
  readonly hasUnknownKey?: boolean;
}

export interface Reply {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly requestId: string | null;
}

const HOT = 20;
/** Revisited after their entries have ended: always asked for anew, in a memory that does not grow. */
const COLD = 2_500;
/** JWTs live five minutes. */
const JWT_SECONDS = 120;

interface Pipeline {
  readonly id: string;
  readonly slug: string;
  jwt?: { readonly text: string; readonly madeMs: number };
}

/** Requests of every kind against a world that knows their pipelines. */
export class Load {
  readonly #simulator: Simulator;
  readonly #hot: readonly Pipeline[];
  readonly #cold: readonly Pipeline[];
  #count = 0;

  constructor(simulator: Simulator) {
    this.#simulator = simulator;
    this.#hot = this.#add("hot", HOT);
    this.#cold = this.#add("cold", COLD);
  }

  /** One request for each pipeline whose tokens are to be held. */
  warm(): Ask[] {
    return this.#hot.map((pipeline) => ({ path: "/token", jwt: this.#jwt(pipeline), expected: 200, isHeld: false }));
  }

  /** One request for each pipeline that there is. */
  everyPipeline(): Ask[] {
    const all = [...this.#hot, ...this.#cold];
    return all.map((pipeline) => ({ path: "/token", jwt: this.#jwt(pipeline), expected: 200, isHeld: false }));
  }

  /** Requests with so many different JWTs: what is remembered of JWTs has its size when they have been sent. */
  *differentJwts(count: number): Generator<Ask> {
    for (let left = count; left > 0; left--) {
      const { id, slug } = pick(this.#hot, left);
      const jwt = this.#simulator.oidc.issueToken({ pipeline_id: id, pipeline_slug: slug, jti: String(left) });
      yield { path: "/token", jwt, expected: 200, isHeld: true };
    }
  }

  next(kind: Kind): Ask {
    const count = this.#count++;
    const hot = pick(this.#hot, count);
    switch (kind) {
      case "cached":
        return { path: "/token", jwt: this.#jwt(hot), expected: 200, isHeld: true };
      case "git":
        return this.#git(hot, count);
      case "cold":
        return { path: "/token", jwt: this.#jwt(pick(this.#cold, count)), expected: 200, isHeld: false };
      case "refused":
        return count % 2 === 0
          ? { path: "/organization/token/everything", jwt: this.#jwt(hot), expected: 403, isHeld: true }
          : { path: "/organization/token/nowhere", jwt: this.#jwt(hot), expected: 404, isHeld: true };
      case "hostile":
        return { path: "/token", ...this.#hostile(hot, count), expected: 401, isHeld: true };
    }
  }

  /** Its own repository, and now and then another one, as for a submodule: then there is nothing, and Buildkite may be asked. */
  #git(pipeline: Pipeline, count: number): Ask {
    const repository = count % 5 === 0 ? "acme/plugins" : "acme/widget";
    const body = `protocol=https\nhost=github.com\npath=${repository}\n\n`;
    return { path: "/git-credentials", jwt: this.#jwt(pipeline), body, expected: 200, isHeld: true };
  }

  #hostile(pipeline: Pipeline, count: number): Pick<Ask, "jwt" | "hasUnknownKey"> {
    const good = this.#jwt(pipeline);
    const [header = "", payload = "", signature = ""] = good.split(".");
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const ways = [
      () => `${part({ alg: "none" })}.${payload}.`,
      () => `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      () => `${part({ alg: "HS256", kid: "x" })}.${payload}.${signature}`,
      () => this.#simulator.oidc.issueToken({ exp: 1_700_000_000, iat: 1_699_999_700, nbf: 1_699_999_700 }),
      () => this.#simulator.oidc.issueToken({ aud: "https://another.example" }),
      () => this.#simulator.oidc.issueToken({ organization_slug: "globex" }),
      () => "x".repeat(4_000),
      () => `${header}.${part({ ...this.#claims(good), pipeline_slug: "widget" })}.${signature}`,
    ];
    if (count % (ways.length + 1) === 0)
      return { jwt: `${part({ alg: "RS256", kid: `unknown-${count}` })}.${payload}.${signature}`, hasUnknownKey: true };
    return { jwt: pick(ways, count)() };
  }

  #claims(jwt: string): object {
    const claims: object = JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString());
    return claims;
  }

  #jwt(pipeline: Pipeline): string {
    const nowMs = performance.now();
    if (pipeline.jwt === undefined || nowMs - pipeline.jwt.madeMs > JWT_SECONDS * 1000) {
      const text = this.#simulator.oidc.issueToken({ pipeline_id: pipeline.id, pipeline_slug: pipeline.slug });
      pipeline.jwt = { text, madeMs: nowMs };
    }
    return pipeline.jwt.text;
  }

  #add(name: string, count: number): Pipeline[] {
    const [organization] = this.#simulator.world.buildkite.organizations;
    return Array.from({ length: count }, (_none, index) => {
      const slug = `${name}-${index}`;
      const id = `0195c4e6-c88c-4e5e-${name === "hot" ? "9b3a" : "9b3b"}-${String(index).padStart(12, "0")}`;
      organization?.pipelines.push({ id, slug, name: slug, repository: "https://github.com/acme/widget.git" });
      return { id, slug };
    });
  }
}

/** What was told to slow down waits for it. */
const OUTAGE_GRACE_MS = 8_000;
/** The issuer is asked for an unknown key 30 seconds after it last failed, and may take ten to fail. */
const KEYS_GRACE_MS = 42_000;
/** GitHub's refusals are remembered for 30 seconds, also that of a call that was under way. */
const REFUSAL_GRACE_MS = 42_000;
/** The longest of them. */
export const GRACE_MS = 42_000;

/** What is wrong with a reply, if anything, given what is wrong outside. */
export function judge(ask: Ask, reply: Omit<Reply, "requestId">, troubles: readonly Trouble[]): string | undefined {
  const { expected } = ask;
  const { status, retryAfter } = reply;
  if (status === expected || troubles.some((trouble) => isExcused(ask, reply, trouble))) return undefined;
  const names = troubles.map(({ fault, endedMs }) => `${fault.name}${endedMs === 0 ? "" : " lately"}`);
  const said = `${status}${retryAfter === null ? "" : " with Retry-After"}`;
  return `${said} for ${expected}, ${names.length === 0 ? "all well" : names.join(" and ")}`;
}

function isExcused(ask: Ask, { status, retryAfter }: Omit<Reply, "requestId">, { fault, endedMs }: Trouble): boolean {
  const isLater = status === 503 && retryAfter !== null;
  if (ask.hasUnknownKey === true && fault.hidesKeys === true && isLater) return endedMs < KEYS_GRACE_MS;
  if (fault.kind === "outage") return !ask.isHeld && isLater && endedMs < OUTAGE_GRACE_MS;
  // A refusal ends what is held.
  return (
    fault.kind === "refusal" && ask.expected === 200 && [403, 500, 503].includes(status) && endedMs < REFUSAL_GRACE_MS
  );
}

function pick<T>(list: readonly T[], index: number): T {
  const one = list[index % list.length];
  if (one === undefined) throw new RangeError("the list is empty");
  return one;
}
