import { describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publicJwk } from "../../src/simulator/rsa-key.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { bridgeCommand, underTest } from "../support/bridge.ts";
import { startWorld } from "../support/world.ts";

describe(`settings that replies show (${underTest})`, () => {
  test("DEV_DISCLOSE_APP_IDENTIFIERS adds the App's ids to both formats, and is warned of", async () => {
    await using world = await startWorld({ DEV_DISCLOSE_APP_IDENTIFIERS: "true" });
    expect((await world.ask("/token")).json).toMatchObject({ app: "default", appId: 111, installationId: 222 });
    const { text } = await world.ask("/git-credentials", {
      body: "protocol=https\nhost=github.com\npath=acme/widget\n",
    });
    expect(text).toEndWith("chinmina_app_name=default\nchinmina_app_id=111\nchinmina_installation_id=222\n\n");
    expect(
      world.bridge.lines.some(
        (line) => line["level"] === "warn" && String(line["message"]).includes("DEV_DISCLOSE_APP_IDENTIFIERS"),
      ),
    ).toBe(true);
  });

  test("JWT_JWKS_STATIC stands in for discovery: the issuer is never asked", async () => {
    await using simulator = await startSimulator();
    const keys = JSON.stringify({ keys: [publicJwk(simulator.oidc.currentKey())] });
    await using world = await startWorld({ JWT_JWKS_STATIC: keys, JWT_ISSUER_URL: simulator.oidc.url });
    expect((await world.ask("/token", { jwt: simulator.oidc.issueToken() })).status).toBe(200);
    expect(simulator.journal.entries({ upstream: "oidc" })).toEqual([]);
  });

  test("while the App's account is not known, nothing that names a repository is vended: 503", async () => {
    await using world = await startWorld();
    world.simulator.interceptor = (request, upstream) =>
      upstream === "github" && request.method === "GET" ? new Response("", { status: 404 }) : undefined;
    const { status, audit } = await world.ask("/token");
    expect(status).toBe(503);
    expect(audit["error"]).toContain("the App's account is not known yet");
  });

  test("a policy that could not be read for PROFILE_MAX_STALE_SECS rules no longer: 503 for everybody", async () => {
    const folder = await mkdtemp(join(tmpdir(), "stale-"));
    // The service may run as another user.
    await chmod(folder, 0o755);
    const file = join(folder, "profiles.yaml");
    await writeFile(file, "pipeline: {}\n");
    await using world = await startWorld({ PROFILE_FILE: file, PROFILE_MAX_STALE_SECS: "1" });
    expect((await world.ask("/token")).status).toBe(200);
    await rm(folder, { recursive: true });
    await Bun.sleep(1500);
    const { status, json, audit } = await world.ask("/token");
    expect({ status, json }).toEqual({ status: 503, json: { error: "Service Unavailable" } });
    expect(audit["error"]).toContain("could not be read");
  });

  test("ENV=development: people's lines in the log, JSON in the audit", async () => {
    await using simulator = await startSimulator();
    const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
    const child = Bun.spawn([...bridgeCommand(), "serve"], {
      env: { ...environment, ENV: "development", SERVER_PORT: "0", SERVER_HOST: "127.0.0.1" },
      stdout: "pipe",
      stderr: "pipe",
    });
    let output = "";
    for await (const chunk of child.stdout) {
      output += new TextDecoder().decode(chunk);
      const port = /INFO +listening +port=(\d+)/.exec(output)?.[1];
      if (port !== undefined && !output.includes(`"type":"audit"`))
        await fetch(`http://127.0.0.1:${port}/token`, { method: "POST" });
      if (output.includes(`"type":"audit"`)) break;
    }
    child.kill("SIGTERM");
    await child.exited;
    expect(output).toMatch(/^\d\d:\d\d:\d\d INFO {2}listening/m);
    const audit = output.split("\n").find((line) => line.includes(`"type":"audit"`)) ?? "";
    expect(JSON.parse(audit).request.status).toBe(401);
  });
});
