import { isDeepStrictEqual } from "node:util";
import type { Simulator } from "../../src/simulator/simulator.ts";
import type { Bridge, OutputLine } from "../../tests/support/bridge.ts";

const colours = process.stdout.isTTY && !process.env["NO_COLOR"];
const paint = (code: number) => (text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
export const tone = { bold: paint(1), dim: paint(2), good: paint(32), bad: paint(31) };

interface Scene {
  readonly request: {
    readonly path: string;
    readonly job?: string;
    /** Laid over the job's own. */
    readonly claims?: Readonly<Record<string, unknown>>;
    /** Sent in place of the job's token. */
    readonly jwt?: string;
  };
  readonly expect: {
    readonly status: number;
    readonly reply?: Readonly<Record<string, unknown>>;
    readonly audit?: Readonly<Record<string, unknown>>;
  };
  /** What is announced before it is shown. */
  readonly says: string;
  /** How many calls to Buildkite and GitHub the request causes, where that is the point. */
  readonly upstreamCalls?: number;
}

/** Plays scenes against the running service and checks each against its announcement. */
export class Stage {
  requests = 0;
  #failures = 0;

  readonly #simulator: Simulator;
  readonly #bridge: Bridge;

  constructor(simulator: Simulator, bridge: Bridge) {
    this.#simulator = simulator;
    this.#bridge = bridge;
  }

  /** `bridge`: another instance than the stage's own. */
  async play(
    title: string,
    { request, expect, says, upstreamCalls }: Scene,
    bridge: Bridge = this.#bridge,
  ): Promise<void> {
    showStep(title);
    console.log(`  ${tone.dim("announced:")} ${says}`);
    const callsBefore = this.#upstreamCalls();
    const jwt =
      request.jwt ??
      this.#simulator.oidc.issueToken(request.claims ?? {}, { jobId: this.#simulator.jobOf(request.job ?? "").id });
    const id = `demo-${++this.requests}`;
    const response = await fetch(bridge.url + request.path, {
      method: "POST",
      headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
    });
    const reply = (await response.json()) as Record<string, unknown>;
    const line = await bridge.waitFor((one) => one["request"]?.id === id);
    console.log(`  ${tone.dim("reply:")} ${response.status} ${shown(reply)}`);
    console.log(`  ${tone.dim("audit line:")} ${auditSummary(line)}`);
    this.check(`status ${expect.status}`, response.status === expect.status);
    for (const [field, value] of Object.entries(expect.reply ?? {})) {
      this.check(`${field} is ${JSON.stringify(value)}`, isDeepStrictEqual(reply[field], value));
    }
    for (const [field, value] of Object.entries(expect.audit ?? {})) {
      this.check(`audit ${field} is ${JSON.stringify(value)}`, line["token"]?.[field] === value);
    }
    if (upstreamCalls !== undefined) {
      const calls = this.#upstreamCalls() - callsBefore;
      this.check(`${upstreamCalls} upstream calls`, calls === upstreamCalls);
    }
    if (typeof reply["token"] === "string") {
      this.check("GitHub knows the token", this.#simulator.github.isLive(reply["token"]));
      this.check("the token is in no line of output", !bridge.output().includes(reply["token"]));
    }
  }

  /** To Buildkite and GitHub: an instance that has just started also asks the issuer for its keys. */
  #upstreamCalls(): number {
    return this.#simulator.journal.entries().filter(({ upstream }) => upstream !== "oidc").length;
  }

  check(what: string, holds: boolean): void {
    if (!holds) this.#failures += 1;
    console.log(`  ${holds ? tone.good("✓") : tone.bad("✗ NOT SO:")} ${what}`);
  }

  /** Prints the verdict; the exit status. */
  conclude(): number {
    console.log(
      this.#failures === 0
        ? tone.good("\nEverything is as announced.")
        : tone.bad(`\n${this.#failures} of the checks above do not hold.`),
    );
    return this.#failures === 0 ? 0 : 1;
  }
}

export function showStep(title: string): void {
  console.log(tone.bold(`\n▸ ${title}`));
}

/** Tokens are long and nobody's to read. */
function shown(reply: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(reply, (key, value: unknown) => (key === "token" ? `${String(value).slice(0, 8)}…` : value));
}

function auditSummary(line: OutputLine): string {
  const { request, pipeline, token, error, sequence } = line;
  const who =
    pipeline === undefined
      ? "nobody we know"
      : `${pipeline.pipelineSlug} build ${pipeline.buildNumber} (${pipeline.buildBranch})`;
  const what =
    token?.repositories === undefined
      ? ""
      : `, ${token.repositories.join(" ")} ${token.permissions.join(" ")} from ${token.source}`;
  return `#${sequence} ${request.method} ${request.path} ${request.status}, ${who}${what}${error === undefined ? "" : `, because: ${error}`}`;
}
