import { describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { expectRefusal } from "../support/http-assertions.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

const hang = () => new Promise<Response>(() => undefined);

/** Opens a request, waits until `until` says that it is worked on, and goes away. */
async function leave(world: TestWorld, path: string, id: string, until: () => boolean): Promise<void> {
  const controller = new AbortController();
  const gone = fetch(world.bridge.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${world.jwt()}`, "x-request-id": id },
    signal: controller.signal,
  }).catch(() => undefined);
  while (!until()) await Bun.sleep(2);
  controller.abort();
  await gone;
}

// Concurrent: each waits for a real deadline.
describe(`deadlines (${underTest})`, () => {
  test.concurrent.each(["oidc", "buildkite", "github"])(
    "a reply comes within 21 seconds, even though %s hangs, and says 503",
    async (upstream) => {
      await using world = await startWorld();
      world.simulator.interceptor = (_request, name) => (name === upstream ? hang() : undefined);
      const startedMs = performance.now();
      const answer = await world.ask("/token");
      const tookMs = performance.now() - startedMs;
      expectRefusal(answer, "json", 503, "Service Unavailable");
      expect(answer.headers.get("retry-after")).toBe("5");
      // The upstream call's own deadline is 10 seconds.
      expect(tookMs).toBeWithin(9_000, 13_000);
      expect(answer.audit["error"]).toContain("in time");
    },
    40_000,
  );

  test("a request that needs several slow calls is answered at its own deadline of 20 seconds", async () => {
    await using world = await startWorld();
    world.simulator.interceptor = async (_request, _name, proceed) => {
      await Bun.sleep(8000);
      return proceed();
    };
    const startedMs = performance.now();
    const answer = await world.ask("/token");
    expect(performance.now() - startedMs).toBeWithin(19_500, 21_500);
    expectRefusal(answer, "json", 503, "Service Unavailable");
    expect(answer.audit["error"]).toContain("20 seconds");
  }, 40_000);
});

describe(`a client that has gone (${underTest})`, () => {
  test("leaves the token that was being made for it to the next one, with a line of its own", async () => {
    await using world = await startWorld();
    const gate = Promise.withResolvers<undefined>();
    let asked = false;
    world.simulator.interceptor = (_request, upstream) => {
      asked ||= upstream === "buildkite";
      return upstream === "buildkite" ? gate.promise : undefined;
    };
    await leave(world, "/token", "gone", () => asked);
    await world.bridge.waitFor((one) => one["request"]?.id === "gone");
    gate.resolve(undefined);
    const minted = await world.bridge.waitFor((one) => one["message"] === "mint_event");
    const next = await world.ask("/token");
    expect(next.audit["token"]).toMatchObject({ source: "memory", hashedToken: minted["token"].hashedToken });
  });

  test("leaves an entry with status 499 and no token", async () => {
    await using world = await startWorld();
    let asked = false;
    world.simulator.interceptor = (_request, upstream) => {
      asked ||= upstream === "buildkite";
      return upstream === "buildkite" ? hang() : undefined;
    };
    await leave(world, "/token", "gone", () => asked);
    const line = await world.bridge.waitFor((one) => one["request"]?.id === "gone");
    expect(line["request"].status).toBe(499);
    expect(line["error"]).toBe("client closed request");
    expect(line["authorization"].authorized).toBe(true);
    expect(line["token"]).not.toHaveProperty("hashedToken");
  });

  test("while its token was being verified causes no call for it afterwards", async () => {
    await using world = await startWorld();
    const gate = Promise.withResolvers<undefined>();
    let asked = false;
    world.simulator.interceptor = async (request, upstream) => {
      if (upstream !== "oidc" || !request.url.includes("jwks")) return undefined;
      asked = true;
      await gate.promise;
      return undefined;
    };
    await leave(world, "/token", "gone", () => asked);
    await world.bridge.waitFor((one) => one["request"]?.id === "gone");
    gate.resolve(undefined);
    // Whoever comes next is served, by keys that were fetched once.
    expect((await world.ask("/token", { jwt: world.jwt({}, "gadget") })).status).toBe(200);
    expect(world.simulator.journal.entries({ upstream: "oidc", path: /jwks/ })).toHaveLength(1);
    expect(world.simulator.journal.entries({ upstream: "buildkite", path: /widget/ })).toEqual([]);
  });

  test("takes nothing from others who wait for the same call", async () => {
    await using world = await startWorld();
    const gate = Promise.withResolvers<undefined>();
    let asked = false;
    world.simulator.interceptor = async (_request, upstream) => {
      if (upstream !== "buildkite") return undefined;
      asked = true;
      await gate.promise;
      return undefined;
    };
    const leaving = leave(world, "/token", "gone", () => asked);
    const staying = world.ask("/token");
    await leaving;
    await world.bridge.waitFor((one) => one["request"]?.id === "gone");
    gate.resolve(undefined);
    expect((await staying).status).toBe(200);
    expect(world.simulator.github.issuedTokens()).toHaveLength(1);
  });
});

describe(`SERVER_MAX_IN_FLIGHT (${underTest})`, () => {
  test("more requests in work get 503 without being worked on; /healthcheck is not counted", async () => {
    await using world = await startWorld({ SERVER_MAX_IN_FLIGHT: "2" });
    const gate = Promise.withResolvers<undefined>();
    const bothAsked = Promise.withResolvers<void>();
    let asked = 0;
    world.simulator.interceptor = async (_request, upstream) => {
      if (upstream !== "buildkite") return undefined;
      asked += 1;
      if (asked === 2) bothAsked.resolve();
      await gate.promise;
      return undefined;
    };
    const held = [world.ask("/token"), world.ask("/token", { jwt: world.jwt({}, "gadget") })];
    await bothAsked.promise;
    const calls = world.simulator.journal.entries().length;
    for (const jwt of [world.jwt({}, "plugins"), "invalid"]) {
      const answer = await world.ask("/token", { jwt, body: "x".repeat(1000) });
      expectRefusal(answer, "json", 503, "Service Unavailable");
      expect(answer.headers.get("retry-after")).toBe("5");
      expect(answer.audit["error"]).toBe("too many requests in work");
    }
    expectRefusal(await world.ask("/git-credentials", { body: "" }), "git", 503, "Service Unavailable");
    expect(world.simulator.journal.entries().length).toBe(calls);
    expect((await fetch(`${world.bridge.url}/healthcheck`)).status).toBe(200);
    gate.resolve(undefined);
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await world.ask("/token")).status).toBe(200);
  });
});

describe(`SERVER_OUTGOING_MAX_CONNS_PER_HOST (${underTest})`, () => {
  test("so many calls at once to one upstream, the others wait; another upstream is not held back", async () => {
    await using world = await startWorld(
      { SERVER_OUTGOING_MAX_CONNS_PER_HOST: "3", CALLER_UPSTREAM_CALLS_PER_MINUTE: "1000" },
      { policy: DEFAULT_POLICY },
    );
    await world.ask("/organization/token/plugins");
    let current = 0;
    let most = 0;
    world.simulator.interceptor = async (_request, upstream, proceed) => {
      if (upstream !== "github") return undefined;
      most = Math.max(most, ++current);
      await Bun.sleep(30);
      current -= 1;
      return proceed();
    };
    const names = Array.from({ length: 12 }, (_, index) => `n${index}`);
    const answers = await Promise.all(
      names.map((name) =>
        world.ask(`/organization/token/any-one-repository?repository-scope=${name}`, {
          jwt: world.jwt({ pipeline_id: `id-of-${name}` }),
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 403));
    expect(most).toBe(3);
  });

  test("of which one pipeline has a quarter; beyond it waits for its own, and gets 503 with Retry-After", async () => {
    await using world = await startWorld({ SERVER_OUTGOING_MAX_CONNS_PER_HOST: "8" }, { policy: DEFAULT_POLICY });
    await world.ask("/organization/token/plugins");
    const gate = Promise.withResolvers<undefined>();
    let held = 0;
    const isFull = Promise.withResolvers<void>();
    world.simulator.interceptor = async (_request, upstream) => {
      if (upstream !== "github") return undefined;
      held += 1;
      if (held === 2) isFull.resolve();
      return gate.promise;
    };
    const path = (name: string) => `/organization/token/any-one-repository?repository-scope=${name}`;
    const first = ["gadget", "policy"].map((name) => world.ask(path(name)));
    await isFull.promise;
    const beyond = await world.ask(path("plugins"));
    expectRefusal(beyond, "json", 503, "Service Unavailable");
    expect(beyond.headers.get("retry-after")).toBe("1");
    expect(beyond.audit["error"]).toBe("too many upstream calls at once by this pipeline");
    const other = world.ask(path("widget"), { jwt: world.jwt({}, "gadget") });
    gate.resolve(undefined);
    expect((await Promise.all([...first, other])).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});
