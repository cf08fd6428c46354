import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

/**
 * The order is: route (404, 405), authentication (401), profile reference (400), body (413), git rules (200, 400), profile (404),
 * scope (400), match rules (403), cache, upstreams. Each request here has everything wrong from a step on; the first wrong thing answers.
 */
let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({}, { policy: DEFAULT_POLICY });
  world.simulator.interceptor = (_request, upstream) =>
    upstream === "oidc" ? undefined : new Response("", { status: 500 });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const LARGE = "x".repeat(21 * 1024);
const HALF = "protocol=https\n";
const ELSEWHERE = "protocol=https\nhost=gitlab.com\npath=a/b\n";
const OWNER_ONLY = "protocol=https\nhost=github.com\npath=acme\n";
const WHOLE = "protocol=https\nhost=github.com\npath=acme/gadget\n";

describe(`the order of checks (${underTest})`, () => {
  test.each<readonly [string, number, string, string | null, string, string?]>([
    ["another path beats a missing token", 404, "/nowhere/%41", null, LARGE],
    ["a wrong method beats a missing token", 405, "/token/%zz", null, "", "GET"],
    ["a missing token beats a bad profile reference", 401, "/git-credentials/%zz", null, LARGE],
    ["an invalid token beats a bad profile reference", 401, "/git-credentials/org:x", "a.b.c", LARGE],
    ["a bad profile reference beats a large body", 400, "/git-credentials/org:x", "", LARGE],
    ["a large body beats git's rules", 413, "/git-credentials/nobody", "", LARGE],
    ["a large body beats an unknown profile", 413, "/token/nobody", "", LARGE],
    ["half a git context beats an unknown profile", 400, "/git-credentials/nobody", "", HALF],
    ["another host beats an unknown profile", 200, "/git-credentials/nobody", "", ELSEWHERE],
    ["an unknown profile beats a bad scope", 404, "/organization/token/nobody?repository-scope=a/b", "", ""],
    ["an unknown profile beats a missing repository", 404, "/organization/git-credentials/nobody", "", OWNER_ONLY],
    [
      "a scope that is not taken beats match rules",
      400,
      "/organization/token/everything?repository-scope=x",
      "gadget",
      "",
    ],
    ["match rules beat upstreams", 403, "/organization/token/everything", "gadget", ""],
    ["match rules beat upstreams on git routes", 403, "/organization/git-credentials/everything", "gadget", WHOLE],
    ["then upstreams are asked", 503, "/token", "gadget", ""],
  ])("%s: %d", async (_what, status, path, who, body, method = "POST") => {
    const jwt = who === "" ? world.jwt() : who === null || who.includes(".") ? who : world.jwt({}, who);
    const calls = () => world.simulator.journal.entries().filter(({ upstream }) => upstream !== "oidc").length;
    const before = calls();
    const response = await fetch(world.bridge.url + path, {
      method,
      headers: jwt === null ? {} : { authorization: `Bearer ${jwt}` },
      ...(method === "GET" ? {} : { body }),
    });
    expect(response.status).toBe(status);
    if (status !== 503) expect(calls()).toBe(before);
  });

  test("match rules are evaluated on every request, before any cache is read", async () => {
    await using warm = await startWorld({}, { policy: DEFAULT_POLICY });
    const path = "/token/release-publisher";
    expect((await warm.ask(path)).status).toBe(200);
    expect((await warm.ask(path, { jwt: warm.jwt({ build_branch: "feature" }) })).status).toBe(403);
    expect((await warm.ask(path)).audit["token"].source).toBe("memory");
  });
});
