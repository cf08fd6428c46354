import { describe, expect, test } from "bun:test";
import { openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { POLICY_LOCATION } from "../../src/simulator/default-world.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { bridgeCommand, startBridge, underTest } from "../support/bridge.ts";
import { startWorld } from "../support/world.ts";

describe(`the audit log (${underTest})`, () => {
  test("sequence numbers have no gaps over many concurrent requests, one line each, all of one instance", async () => {
    await using world = await startWorld();
    const jwt = world.jwt();
    await Promise.all(
      Array.from({ length: 300 }, (_item, index) =>
        world.ask(index % 3 === 0 ? "/token/nope" : "/token", { jwt: index % 5 === 0 ? "x" : jwt }),
      ),
    );
    const lines = world.bridge.audit;
    expect(lines.map((line) => line["sequence"])).toEqual(Array.from({ length: 300 }, (_item, index) => index + 1));
    expect(new Set(lines.map((line) => line["instance"])).size).toBe(1);
    expect(new Set(lines.map((line) => line["request"].id)).size).toBe(300);
  });

  test("what callers send is cut to 512 bytes and escaped, and no line exceeds 12 KiB", async () => {
    await using world = await startWorld();
    const huge = "é\u2028\u001b[2J".repeat(40);
    const { audit } = await world.ask(`/token/${encodeURIComponent(huge)}`, {
      jwt: world.jwt({
        build_branch: "b".repeat(1000),
        sub: "s\u0085".repeat(300),
        aud: [world.simulator.audience, ...Array.from({ length: 110 }, (_item, index) => `a${index}`)],
      }),
      headers: { "user-agent": "u".repeat(2000) },
    });
    expect(Buffer.byteLength(audit["request"].userAgent)).toBeLessThanOrEqual(512);
    expect(Buffer.byteLength(audit["pipeline"].buildBranch)).toBeLessThanOrEqual(512);
    expect(audit["authorization"].audience.length).toBeLessThanOrEqual(101);
    const line =
      world.bridge
        .output()
        .split("\n")
        .find((one) => one.includes(audit["request"].id)) ?? "";
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(12 * 1024);
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  });

  test("canary: no token, JWT, key or body ever reaches any output, at any level, faults included", async () => {
    await using world = await startWorld({ GITHUB_ORG_PROFILE: POLICY_LOCATION, LOG_LEVEL: "debug" });
    const { simulator, bridge } = world;
    const jwts = [
      world.jwt(),
      world.jwt({ aud: "x" }),
      world.jwt({}, "of-another-owner"),
      world.jwt({}, "without-repository"),
    ];
    const bearers = new Set<string>();
    simulator.interceptor = (request) => {
      bearers.add((request.headers.get("authorization") ?? "").replace(/^\w+ /, ""));
      return undefined;
    };
    for (const jwt of jwts) {
      await world.ask("/token", { jwt, body: "canary-body-7f3a" });
      await world.ask("/git-credentials", {
        jwt,
        body: "protocol=https\nhost=github.com\npath=acme/widget\npassword=canary-password-91\n",
      });
      await world.ask("/organization/token/plugins", { jwt });
    }
    simulator.interceptor = (_request, upstream) =>
      upstream === "github"
        ? new Response(JSON.stringify({ message: `no ${[...bearers].join(" ")}` }), { status: 422 })
        : undefined;
    await world.ask("/organization/token/any-one-repository?repository-scope=gadget");
    bridge.process.kill("SIGHUP");
    await bridge.waitFor((line) => line["message"] === "profile refresh failed");
    bearers.delete("");
    const secrets = [
      ...jwts,
      ...bearers,
      ...simulator.github.issuedTokens().map(({ token }) => token),
      "canary-body-7f3a",
      "canary-password-91",
    ];
    const { GITHUB_APP_PRIVATE_KEY = "", BUILDKITE_API_TOKEN = "" } = simulator.environment();
    const key = GITHUB_APP_PRIVATE_KEY.split("\n")[3] ?? "";
    const output = bridge.output();
    expect(secrets.length).toBeGreaterThan(8);
    for (const secret of [...secrets, key, BUILDKITE_API_TOKEN]) {
      expect(secret.length).toBeGreaterThan(10);
      expect(output).not.toContain(secret);
      // Signatures and the middle of tokens too: a cut secret is a secret.
      if (secret.length > 100) expect(output).not.toContain(secret.slice(60, 100));
    }
  });
});

const environmentOf = (simulator: Awaited<ReturnType<typeof startSimulator>>) => {
  const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
  return { ...environment, SERVER_HOST: "127.0.0.1" };
};

async function freePort(): Promise<number> {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  return server.port ?? 0;
}

async function untilHealthy(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const response = await fetch(`http://127.0.0.1:${port}/healthcheck`).catch(() => undefined);
    if (response?.status === 200) return;
    await Bun.sleep(25);
  }
  throw new Error("the service does not answer");
}

describe(`standard output in trouble (${underTest})`, () => {
  test("stuck: no token leaves, requests get 503 at their deadline, /healthcheck answers, and their lines follow", async () => {
    await using simulator = await startSimulator();
    const port = await freePort();
    // A pipe that nobody reads: full after 64 KiB.
    const child = Bun.spawn(["sh", "-c", `${bridgeCommand().join(" ")} serve | { sleep 26; cat; }`], {
      env: { ...environmentOf(simulator), PATH: process.env["PATH"] ?? "", SERVER_PORT: String(port) },
      stdout: "pipe",
      stderr: "inherit",
    });
    const output = new Response(child.stdout).text();
    await untilHealthy(port);
    const jwt = simulator.oidc.issueToken();
    const ask = (id: string) =>
      fetch(`http://127.0.0.1:${port}/token`, {
        method: "POST",
        headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
      });
    const ids: string[] = [];
    let filling = true;
    const answers: Promise<{ id: string; status: number; text: string }>[] = [];
    while (filling && ids.length < 400) {
      const id = `stuck-${ids.length}`;
      ids.push(id);
      const answer = ask(id).then(async (response) => ({ id, status: response.status, text: await response.text() }));
      answers.push(answer);
      filling = (await Promise.race([answer, Bun.sleep(150)])) !== undefined;
    }
    for (let index = 0; index < 16; index++)
      answers.push(
        ask(`late-${index}`).then(async (response) => ({
          id: `late-${index}`,
          status: response.status,
          text: await response.text(),
        })),
      );
    const healthMs: number[] = [];
    for (let index = 0; index < 20; index++) {
      const startedMs = performance.now();
      expect((await fetch(`http://127.0.0.1:${port}/healthcheck`)).status).toBe(200);
      healthMs.push(performance.now() - startedMs);
      await Bun.sleep(50);
    }
    const done = await Promise.all(answers);
    const refused = done.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThanOrEqual(16);
    for (const { text } of refused) expect(text).not.toContain("ghs_");
    expect(Math.max(...healthMs)).toBeLessThan(1000);
    await Bun.sleep(7000);
    Bun.spawnSync(["pkill", "-TERM", "-P", String(child.pid)]);
    const lines = (await output)
      .split("\n")
      .filter((line) => line.includes(`"type":"audit"`))
      .map((line) => JSON.parse(line));
    const written = new Map(lines.map((line) => [line.request?.id, line]));
    for (const { id, status } of done) {
      if (status === 200) expect(written.get(id)?.request.status).toBe(200);
      else expect(written.has(id)).toBe(true);
    }
    expect(lines.map((line) => line.sequence)).toEqual(lines.map((_line, index) => index + 1));
  }, 60_000);

  test("full: token requests get 503 and no token, /healthcheck answers", async () => {
    await using simulator = await startSimulator();
    const port = await freePort();
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: { ...environmentOf(simulator), SERVER_PORT: String(port) },
      stdout: openSync("/dev/full", "w"),
      stderr: "pipe",
    });
    await untilHealthy(port);
    const response = await fetch(`http://127.0.0.1:${port}/token`, {
      method: "POST",
      headers: { authorization: `Bearer ${simulator.oidc.issueToken()}` },
    });
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain("ghs_");
    expect((await fetch(`http://127.0.0.1:${port}/healthcheck`)).status).toBe(200);
    child.kill("SIGKILL");
    await child.exited;
  });

  test("closed while it serves: one line on standard error, exit 1", async () => {
    await using simulator = await startSimulator();
    const port = await freePort();
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: { ...environmentOf(simulator), SERVER_PORT: String(port) },
      stdout: "pipe",
      stderr: "pipe",
    });
    await untilHealthy(port);
    await child.stdout.cancel();
    await fetch(`http://127.0.0.1:${port}/token`, { method: "POST" }).catch(() => undefined);
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toBe(
      "standard output is closed: without audit lines no token may leave\n",
    );
  });

  test("never there: the service does not start", async () => {
    await using simulator = await startSimulator();
    const child = Bun.spawn(["sh", "-c", `exec ${bridgeCommand().join(" ")} serve >&-`], {
      env: { ...environmentOf(simulator), PATH: process.env["PATH"] ?? "", SERVER_PORT: "0" },
      stderr: "pipe",
    });
    expect(await child.exited).toBe(1);
    expect(await new Response(child.stderr).text()).toContain("standard output is closed");
  });
});

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

  test.each(["SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGPIPE"] as const)(
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
  const own = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      own.add(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {
      // Closed meanwhile.
    }
  }
  return listening.filter((socket) => own.has(socket)).sort();
}

test(`a taken port ends the start with one line (${underTest})`, async () => {
  await using world = await startWorld();
  const failure = await startBridge({
    ...environmentOf(world.simulator),
    SERVER_PORT: String(world.bridge.port),
  }).catch(String);
  expect(failure).toContain("the service did not start");
});
