import { describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { bridgeCommand, underTest } from "../support/bridge.ts";

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
      "standard output is closed: without audit lines no token may leave [output-closed]; next: start the service with a standard output that something reads, or look at why its reader ended\n",
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

/** What a command begins with that may limit a process: root may lack the right to limit another user's. */
function asOwnerOf(pid: number): readonly string[] {
  const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  return uid === process.getuid?.() ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
}

/** A service whose standard output is a file that may grow to `limitBytes` and no further, until it is told otherwise. */
async function startWithFile(simulator: Simulator) {
  const folder = mkdtempSync(join(tmpdir(), "full-output-"));
  const path = join(folder, "out");
  const port = await freePort();
  const child = Bun.spawn([...bridgeCommand(), "serve"], {
    env: { ...environmentOf(simulator), SERVER_PORT: String(port) },
    stdout: openSync(path, "w"),
    stderr: "pipe",
  });
  await untilHealthy(port);
  return {
    port,
    child,
    text: () => readFileSync(path, "utf8"),
    size: () => statSync(path).size,
    /** The soft limit alone: the process meets it as it would meet a full disk, with a write that is cut short and an error. */
    limit: (size: number | "unlimited") => {
      const set = Bun.spawnSync([...asOwnerOf(child.pid), "prlimit", "--pid", String(child.pid), `--fsize=${size}:`]);
      expect(set.stderr.toString()).toBe("");
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(folder, { recursive: true });
    },
  };
}

describe(`a disk that fills up (${underTest})`, () => {
  test("503 without a token until there is room, nothing lost, no number twice, the first good line on a line of its own", async () => {
    await using simulator = await startSimulator();
    await using service = await startWithFile(simulator);
    const jwt = simulator.oidc.issueToken();
    const replies = new Map<string, number>();
    const ask = async (id: string): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${service.port}/token`, {
        method: "POST",
        headers: { authorization: `Bearer ${jwt}`, "x-request-id": id },
      });
      replies.set(id, response.status);
      expect((await response.text()).includes("ghs_")).toBe(response.status === 200);
      return response.status;
    };
    expect(await ask("before")).toBe(200);
    const lineBytes = Buffer.byteLength(service.text().split("\n").at(-2) ?? "");
    // Room for one line more and some of the next: it will be torn.
    service.limit(service.size() + Math.floor(lineBytes * 1.5));
    expect(await ask("last")).toBe(200);
    expect(await Promise.all(["full-1", "full-2", "full-3"].map(ask))).toEqual([503, 503, 503]);
    expect(await ask("full-4")).toBe(503);
    expect((await fetch(`http://127.0.0.1:${service.port}/healthcheck`)).status).toBe(200);
    service.limit("unlimited");
    let after = 0;
    while ((await ask(`after-${after}`)) !== 200) after += 1;
    expect(after).toBeLessThan(5);
    const parsed = service
      .text()
      .split("\n")
      .flatMap((line) => (/^\{.*\}$/.test(line) ? [JSON.parse(line)] : []))
      .filter((line) => line.type === "audit");
    expect(parsed.map((line) => line.sequence)).toEqual(parsed.map((_line, index) => index + 1));
    expect(new Map(parsed.map((line) => [line.request.id, line.request.status]))).toEqual(replies);
    for (const line of parsed) expect(line.token?.hashedToken !== undefined).toBe(line.request.status === 200);
    service.child.kill("SIGTERM");
    expect(await service.child.exited).toBe(0);
    expect(await new Response(service.child.stderr).text()).toMatch(
      /^standard output takes no lines \(E[A-Z]+\): until it does, no token leaves \[output-stuck\]; next: make room .*\n$/,
    );
  }, 30_000);
});

describe(`/dev/null (${underTest})`, () => {
  test("that somebody asked for is served on, with a warning on standard error", async () => {
    await using simulator = await startSimulator();
    for (const flags of ["w", "r+"]) {
      const port = await freePort();
      const child = Bun.spawn([...bridgeCommand(), "serve"], {
        env: { ...environmentOf(simulator), SERVER_PORT: String(port) },
        stdout: openSync("/dev/null", flags),
        stderr: "pipe",
      });
      await untilHealthy(port);
      const headers = { authorization: `Bearer ${simulator.oidc.issueToken()}` };
      expect((await fetch(`http://127.0.0.1:${port}/token`, { method: "POST", headers })).status).toBe(200);
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      expect(await new Response(child.stderr).text()).toBe(
        "warning: standard output is /dev/null: nobody will have the audit lines; send it where they are kept\n",
      );
    }
  });
});

describe(`a flood while standard output is stuck (${underTest})`, () => {
  test("past 1 MiB of waiting lines refusals are counted into one line, and memory stays bounded", async () => {
    await using simulator = await startSimulator();
    const folder = mkdtempSync(join(tmpdir(), "stuck-output-"));
    const path = join(folder, "fifo");
    Bun.spawnSync(["mkfifo", path]);
    // Open for reading too, by somebody who does not read.
    const held = openSync(path, "r+");
    const port = await freePort();
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: { ...environmentOf(simulator), SERVER_PORT: String(port), SERVER_MAX_IN_FLIGHT: "1" },
      stdout: held,
      stderr: "inherit",
    });
    await untilHealthy(port);
    const residentKiB = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]);
    const startKiB = residentKiB();
    const request = { method: "POST", headers: { "user-agent": "a".repeat(500) } };
    const startedMs = performance.now();
    let sent = 0;
    const clients = Array.from({ length: 128 }, async () => {
      while (performance.now() - startedMs < 12_000) {
        sent += 1;
        const response = await fetch(`http://127.0.0.1:${port}/token/${"p".repeat(500)}`, request);
        await response.text();
      }
    });
    await Promise.all(clients);
    expect((await fetch(`http://127.0.0.1:${port}/healthcheck`)).status).toBe(200);
    // 1 MiB of lines, what they are made of, and the runtime's own heap under load.
    expect(residentKiB() - startKiB).toBeLessThan(96 * 1024);
    const reader = Bun.spawn(["cat", path], { stdout: "pipe" });
    const output = new Response(reader.stdout).text();
    // Its line follows all that waited.
    expect((await fetch(`http://127.0.0.1:${port}/token/last`, { method: "POST" })).status).toBeWithin(401, 504);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    closeSync(held);
    const lines = (await output)
      .split("\n")
      .flatMap((line) => (line.includes(`"type":"audit"`) ? [JSON.parse(line)] : []));
    const counted = lines.filter((line) => line.message === "audit_refusals");
    const refused = counted.reduce((sum, line) => sum + line.refusedRequests, 0);
    expect(refused).toBeGreaterThan(1000);
    const ids = new Set(lines.flatMap((line) => (line.request === undefined ? [] : [line.request.id])));
    expect(ids.size + refused).toBe(sent + 1);
    expect(lines.map((line) => line.sequence)).toEqual(lines.map((_line, index) => index + 1));
    rmSync(folder, { recursive: true });
  }, 60_000);
});
