import { afterEach, describe, expect, test } from "bun:test";
import { PROGRAMS, runProgram, type ProgramResult } from "../../support/program.ts";

const WELL: ProgramResult = { code: 0, out: "", err: "" };
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

describe.each(PROGRAMS)("healthcheck of %s", (_, program) => {
  const check = (port: number, ...argv: string[]): Promise<ProgramResult> =>
    runProgram(program, ["healthcheck", "--port", String(port), ...argv]);

  test("is silent and 0 for a 200, after one GET", async () => {
    const { port, requests } = listen(() => new Response("OK"));
    expect(await check(port)).toEqual(WELL);
    expect(requests).toEqual(["GET /healthcheck"]);
  });

  test("asks under the base path, from SERVER_PORT and SERVER_BASE_PATH", async () => {
    const { port, requests } = listen(() => new Response("OK"));
    const environment = { SERVER_PORT: String(port), SERVER_BASE_PATH: "bridge/" };
    expect(await runProgram(program, ["healthcheck"], { environment })).toEqual(WELL);
    expect(requests).toEqual(["GET /bridge/healthcheck"]);
  });

  test("asks --url and reads nothing else", async () => {
    const { port, requests } = listen(() => new Response("OK"));
    const environment = { SERVER_PORT: "nonsense", SERVER_HOST: "///" };
    const url = `http://127.0.0.1:${port}/up?deep=1`;
    expect(await runProgram(program, ["healthcheck", "--url", url], { environment })).toEqual(WELL);
    expect(requests).toEqual(["GET /up?deep=1"]);
  });

  test.each([201, 204, 400, 401, 404, 500, 503])("is 1 for a %d, after one GET", async (status) => {
    const { port, requests } = listen(() => new Response(null, { status }));
    expect(await check(port)).toEqual(ill(port, `status ${status}`));
    expect(requests).toHaveLength(1);
  });

  test("follows no redirect, not even to a 200", async () => {
    const { port, requests } = listen((request) =>
      new URL(request.url).pathname === "/fine" ? new Response("OK") : Response.redirect("/fine", 302),
    );
    expect(await check(port)).toEqual(ill(port, "status 302"));
    expect(requests).toEqual(["GET /healthcheck"]);
  });

  test("is 1 when nobody listens", async () => {
    const { port, stop } = listen(() => new Response("OK"));
    await stop();
    const { code, out, err } = await check(port);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatch(/^error: http:\/\/127\.0\.0\.1:\d+\/healthcheck: no answer \(\w+\)\n$/);
  });

  test("is 1 when no answer comes in time", async () => {
    const { port } = listen(() => new Promise<Response>(() => undefined));
    expect(await check(port, "--timeout", "200ms")).toEqual(ill(port, "no answer in 200 ms"));
  });

  test("is 0 for a 200 whose body never ends", async () => {
    const { port } = listen(() => new Response(new ReadableStream({ start: (body) => body.enqueue("O") })));
    expect(await check(port)).toEqual(WELL);
  });

  test("never tries again when the connection breaks", async () => {
    let connections = 0;
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { open: () => void connections++, data: (socket) => void socket.end() },
    });
    cleanups.push(() => server.stop(true));
    const { code } = await check(server.port);
    expect({ code, connections }).toEqual({ code: 1, connections: 1 });
  });

  test("is 1 for an answer that is not HTTP", async () => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end("200 OK\r\n\r\n") },
    });
    cleanups.push(() => server.stop(true));
    const { code, err } = await check(server.port);
    expect(code).toBe(1);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("uses no proxy", async () => {
    const { port } = listen(() => new Response("OK"));
    const proxy = listen(() => new Response("from the proxy", { status: 502 }));
    const address = `http://127.0.0.1:${proxy.port}`;
    const environment = { HTTP_PROXY: address, http_proxy: address, HTTPS_PROXY: address, ALL_PROXY: address };
    expect(await runProgram(program, ["healthcheck", "--port", String(port)], { environment })).toEqual(WELL);
    expect(proxy.requests).toEqual([]);
  });

  test("is 1 with one line for a wrong command line", async () => {
    const { code, out, err } = await runProgram(program, ["healthcheck", "--prot", "1"]);
    expect({ code, out, err }).toEqual({ code: 1, out: "", err: "error: unknown option --prot\n" });
  });
});

function ill(port: number, reason: string): ProgramResult {
  return { code: 1, out: "", err: `error: http://127.0.0.1:${port}/healthcheck: ${reason}\n` };
}

interface Listener {
  readonly port: number;
  readonly requests: readonly string[];
  readonly stop: () => Promise<void>;
}

function listen(answer: (request: Request) => Response | Promise<Response>): Listener {
  const requests: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      const { pathname, search } = new URL(request.url);
      requests.push(`${request.method} ${pathname}${search}`);
      return answer(request);
    },
  });
  const stop = (): Promise<void> => server.stop(true);
  cleanups.push(stop);
  return { port: server.port ?? 0, requests, stop };
}
