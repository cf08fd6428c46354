import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { bridgeCommand, underTest } from "../support/bridge.ts";
import { startWorld } from "../support/world.ts";

describe(`stopping (${underTest})`, () => {
  test("SIGTERM: requests in flight are finished, new ones refused, exit 0", async () => {
    await using world = await startWorld();
    const release = Promise.withResolvers<undefined>();
    world.simulator.interceptor = (_request, upstream) => (upstream === "buildkite" ? release.promise : undefined);
    const inFlight = world.ask("/token");
    while (world.simulator.journal.entries({ upstream: "buildkite" }).length < 1) await Bun.sleep(5);
    const stopped = world.bridge.stop("SIGTERM");
    await world.bridge.waitFor((line) => line["message"] === "stopping");
    await Bun.sleep(50);
    expect(String(await fetch(`${world.bridge.url}/healthcheck`).catch((error: unknown) => error))).toContain(
      "ECONNREFUSED",
    );
    release.resolve(undefined);
    expect((await inFlight).status).toBe(200);
    expect(await stopped).toBe(0);
  });

  test("SERVER_DRAIN_DELAY_SECS: it goes on answering for so long", async () => {
    await using world = await startWorld({ SERVER_DRAIN_DELAY_SECS: "1" });
    const startedMs = performance.now();
    const stopped = world.bridge.stop("SIGTERM");
    await world.bridge.waitFor((line) => line["message"] === "stopping");
    expect((await fetch(`${world.bridge.url}/healthcheck`)).status).toBe(200);
    expect((await world.ask("/token")).status).toBe(200);
    expect(await stopped).toBe(0);
    expect(performance.now() - startedMs).toBeGreaterThan(950);
  });

  test("what is still in flight after SERVER_SHUTDOWN_TIMEOUT_SECS is left: exit 0", async () => {
    await using world = await startWorld({ SERVER_SHUTDOWN_TIMEOUT_SECS: "1" });
    world.simulator.interceptor = (_request, upstream) =>
      upstream === "buildkite" ? new Promise(() => undefined) : undefined;
    const left = fetch(`${world.bridge.url}/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${world.jwt()}` },
    }).catch(() => undefined);
    while (world.simulator.journal.entries({ upstream: "buildkite" }).length < 1) await Bun.sleep(5);
    const startedMs = performance.now();
    expect(await world.bridge.stop("SIGTERM")).toBe(0);
    expect(performance.now() - startedMs).toBeWithin(950, 3000);
    expect(await left).toBeUndefined();
  });

  test("connections that wait for another request are closed at once", async () => {
    await using world = await startWorld();
    const idle = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: world.bridge.port,
      socket: { data: () => undefined, close: () => idle.resolve(), error: () => idle.resolve() },
    });
    socket.write("GET /healthcheck HTTP/1.1\r\nHost: bridge\r\n\r\n");
    await world.ask("/token");
    const startedMs = performance.now();
    expect(await world.bridge.stop("SIGINT")).toBe(0);
    await idle.promise;
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });

  test("every answered request has its line, those of the last moment too", async () => {
    await using world = await startWorld();
    const jwt = world.jwt();
    const answered = new Set<string>();
    const clients = Array.from({ length: 16 }, async (_item, client) => {
      for (let count = 0; ; count++) {
        const id = `${client}-${count}`;
        const headers = { authorization: `Bearer ${jwt}`, "x-request-id": id };
        const response = await fetch(`${world.bridge.url}/token`, { method: "POST", headers }).catch(() => undefined);
        if (response === undefined) return;
        if ((await response.text().catch(() => "")) !== "") answered.add(id);
      }
    });
    await Bun.sleep(150);
    expect(await world.bridge.stop("SIGTERM")).toBe(0);
    await Promise.all(clients);
    const lines = new Set(world.bridge.audit.map((line) => line["request"].id));
    expect(answered.size).toBeGreaterThan(100);
    expect([...answered].filter((id) => !lines.has(id))).toEqual([]);
  });

  test("a second signal closes everything at once: exit 1", async () => {
    await using world = await startWorld();
    world.simulator.interceptor = (_request, upstream) =>
      upstream === "buildkite" ? new Promise(() => undefined) : undefined;
    void world.ask("/token").catch(() => undefined);
    while (world.simulator.journal.entries({ upstream: "buildkite" }).length < 1) await Bun.sleep(5);
    world.bridge.process.kill("SIGTERM");
    await world.bridge.waitFor((line) => line["message"] === "stopping");
    const startedMs = performance.now();
    expect(await world.bridge.stop("SIGTERM")).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });

  test.each(["SIGUSR1", "SIGUSR2", "SIGALRM", "SIGQUIT", "SIGWINCH", "SIGPIPE"] as const)(
    "%s does nothing, and opens no debugger",
    async (signal) => {
      await using world = await startWorld();
      const before = listeningSockets(world.bridge.process.pid);
      world.bridge.process.kill(signal);
      await Bun.sleep(100);
      expect((await world.ask("/token")).status).toBe(200);
      expect(world.bridge.process.exitCode).toBeNull();
      expect(listeningSockets(world.bridge.process.pid)).toEqual(before);
      expect(before).toHaveLength(1);
    },
  );
});

/** The TCP sockets on which a process listens, by inode. */
function listeningSockets(pid: number): readonly string[] {
  const listening = ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A")
      .map((fields) => `socket:[${fields[9]}]`),
  );
  const own = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => readLinkIfThere(`/proc/${pid}/fd/${fd}`)));
  return listening.filter((socket) => own.has(socket)).sort();
}

/** A descriptor may be closed while the others are read. */
function readLinkIfThere(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

describe(`a signal during the start (${underTest})`, () => {
  // Each of these calls has a deadline of its own, ten seconds and more: nobody who stops a process waits for that.
  test.each(["/app/installations/222/access_tokens", "/repos/", "/app/installations/"])(
    "ends it at once, exit 1, while GitHub does not answer %s",
    async (path) => {
      await using simulator = await startSimulator();
      const reached = Promise.withResolvers<void>();
      simulator.interceptor = (request) => {
        if (!new URL(request.url).pathname.startsWith(path)) return undefined;
        reached.resolve();
        return new Promise(() => undefined);
      };
      const child = Bun.spawn([...bridgeCommand(), "serve"], {
        env: { ...simulator.environment({ registry: true }), SERVER_PORT: "0", SERVER_HOST: "127.0.0.1" },
        stdout: "ignore",
        stderr: "pipe",
      });
      await reached.promise;
      const startedMs = performance.now();
      child.kill("SIGTERM");
      expect(await child.exited).toBe(1);
      expect(performance.now() - startedMs).toBeLessThan(2000);
      expect(await child.stderr.text()).toEndWith(
        "told to stop before the service had a policy [stopped-early]; next: the log tells why the profile file could not be read, chinmina-bridge doctor what to do\n",
      );
    },
  );
});

describe(`an address that cannot be had ends the start with one line (${underTest})`, () => {
  const NEXT = " [port-unusable]; next: choose another SERVER_PORT or SERVER_HOST, or stop what listens there";
  const start = async (port: number, host: string): Promise<{ readonly code: number; readonly errors: string }> => {
    await using simulator = await startSimulator();
    const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: { ...environment, SERVER_PORT: String(port), SERVER_HOST: host },
      stdout: "ignore",
      stderr: "pipe",
    });
    const [errors, code] = await Promise.all([child.stderr.text(), child.exited]);
    return { code, errors: errors.replace(/^warning: .*\n/m, "") };
  };

  test("a taken port", async () => {
    using taken = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const port = taken.port ?? 0;
    expect(await start(port, "127.0.0.1")).toEqual({
      code: 1,
      errors: `the service did not start: cannot listen on port ${port} of 127.0.0.1: another process has the port (EADDRINUSE; SERVER_PORT, SERVER_HOST)${NEXT}\n`,
    });
  });

  test("an address of another machine", async () => {
    const { code, errors } = await start(0, "203.0.113.9");
    expect(code).toBe(1);
    expect(errors).toBe(
      `the service did not start: cannot listen on port 0 of 203.0.113.9: this machine does not have the address (EADDRNOTAVAIL; SERVER_PORT, SERVER_HOST)${NEXT}\n`,
    );
  });
});
