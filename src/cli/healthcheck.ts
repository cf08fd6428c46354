import { findListenAddress } from "../config/listen-address.ts";
import type { Command, CommandIo, Invocation } from "./command.ts";
import { CommandFailure, UsageError } from "./failure.ts";

/** The command is terse: neither is shown. */
const UNHEALTHY = { code: "unhealthy", advice: "read the service's log" } as const;
const LONGEST_TIMEOUT_MS = 600_000;

/** `healthcheck`: for a container's health check in an image without a shell. Needs no other configuration. */
export const healthcheck: Command = {
  options: [
    { name: "port", value: "PORT", meaning: "in place of SERVER_PORT" },
    { name: "base-path", value: "PATH", meaning: "in place of SERVER_BASE_PATH" },
    { name: "url", value: "URL", meaning: "ask this http or https URL, whatever the others say" },
    { name: "timeout", value: "2s", meaning: "how long to wait: 2s (the default), 500ms" },
  ],
  examples: ["chinmina-bridge healthcheck", "chinmina-bridge healthcheck --port 8080 --timeout 500ms"],
  terse: true,
  run: async (invocation, io) => {
    const timeoutMs = parseTimeout(invocation.text("timeout") ?? "2s");
    const url = invocation.text("url");
    await expectHealthy(url === undefined ? localUrl(invocation, io) : requestUrl(url), timeoutMs, io);
    return 0;
  },
};

/** One GET, and 200 alone is well. No proxy, no redirect, a connection of its own so that nothing is sent twice. */
async function expectHealthy(url: URL, timeoutMs: number, { fetch }: CommandIo): Promise<void> {
  const shown = url.origin + url.pathname;
  const signal = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(url.href, {
      signal,
      redirect: "manual",
      proxy: false,
      keepalive: false,
      tls: { rejectUnauthorized: true },
    });
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    const reason = signal.aborted
      ? `no answer in ${timeoutMs} ms`
      : `no answer (${typeof code === "string" ? code : "failed"})`;
    throw new CommandFailure(`${shown}: ${reason}`, { ...UNHEALTHY, cause: error });
  }
  await response.body?.cancel();
  if (response.status !== 200) throw new CommandFailure(`${shown}: status ${response.status}`, UNHEALTHY);
}

function requestUrl(text: string): URL {
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text);
  throw new UsageError("--url is not an absolute http or https URL");
}

function localUrl(invocation: Invocation, { environment }: CommandIo): URL {
  const found = findListenAddress({
    SERVER_HOST: environment["SERVER_HOST"],
    SERVER_PORT: invocation.text("port") ?? environment["SERVER_PORT"],
    SERVER_BASE_PATH: invocation.text("base-path") ?? environment["SERVER_BASE_PATH"],
  });
  const nameOf = (option: string, variable: string): string =>
    invocation.text(option) === undefined ? variable : `--${option}`;
  const port = nameOf("port", "SERVER_PORT");
  if (found.kind === "invalid") {
    const { variable, problem, accepted } = found.problem;
    const names = new Map([
      ["SERVER_PORT", port],
      ["SERVER_BASE_PATH", nameOf("base-path", "SERVER_BASE_PATH")],
    ]);
    throw new UsageError(`${names.get(variable) ?? variable} ${problem}; accepted: ${accepted}`);
  }
  if (found.address.port === 0) throw new UsageError(`${port} is 0, which names no port to ask`);
  return new URL(`http://${urlHost(found.address.host)}:${found.address.port}${found.address.basePath}/healthcheck`);
}

/** An address that means all of them is reached at 127.0.0.1: `::` takes IPv4 too, and a container may have no `::1`. */
function urlHost(host: string | undefined): string {
  if (host === undefined || host === "0.0.0.0" || /^[0:]+$/.test(host)) return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

function parseTimeout(text: string): number {
  const [, digits, unit] = /^(\d{1,6})(ms|s)$/.exec(text) ?? [];
  const timeoutMs = Number(digits) * (unit === "s" ? 1000 : 1);
  if (timeoutMs >= 1 && timeoutMs <= LONGEST_TIMEOUT_MS) return timeoutMs;
  throw new UsageError("--timeout is not a time such as 2s or 500ms, from 1ms to 600s");
}
