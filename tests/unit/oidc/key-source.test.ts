import { beforeEach, describe, expect, test } from "bun:test";
import type { BoundedFetch } from "../../../src/lib/bounded-fetch.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { createKeySource, type KeySource, type Keys } from "../../../src/oidc/key-source.ts";
import { createFixedClock, type FixedClock } from "../../support/fixed-clock.ts";
import { createIssuerKey, ISSUER } from "../../support/oidc-tokens.ts";

const KEYS = [createIssuerKey("key-1"), createIssuerKey("key-2")].map((key) => key.jwk);
const HOUR_MS = 3_600_000;

let clock: FixedClock;
let reachable: boolean;
let published: readonly unknown[];
let fetches: number;
let events: string[];
let source: KeySource;

/** A fetch counts when its discovery document is asked for. */
const fetchFromIssuer: BoundedFetch = async ({ url, operation }) => {
  const isDiscovery = url.endsWith("/.well-known/openid-configuration");
  if (isDiscovery) fetches++;
  if (!reachable)
    throw new UpstreamFault("upstream-unavailable", `${operation}: network failure`, { upstream: "oidc" });
  const document = isDiscovery ? { issuer: ISSUER, jwks_uri: `${ISSUER}/jwks` } : { keys: published };
  return { status: 200, headers: new Headers(), body: new TextEncoder().encode(JSON.stringify(document)) };
};

beforeEach(() => {
  clock = createFixedClock();
  reachable = true;
  published = KEYS.slice(0, 1);
  fetches = 0;
  events = [];
  source = createKeySource({
    random: () => 0,
    issuer: ISSUER,
    fetch: fetchFromIssuer,
    clock,
    observer: {
      keysFetched: (keys) => void events.push(`${keys.usableCount} keys`),
      keysFetchFailed: (_cause, heldForMs) => void events.push(`failed, held for ${heldForMs}`),
    },
  });
});

function kidsOf(keys: Keys): readonly string[] | string {
  return keys.kind === "unavailable"
    ? keys.cause
    : ["key-1", "key-2"].filter((kid) => keys.keys.find(kid) !== undefined);
}

async function current(): Promise<readonly string[] | string> {
  return kidsOf(await source.current());
}

async function afterUnknownKid(): Promise<readonly string[] | string> {
  return kidsOf(await source.afterUnknownKid());
}

const UNREACHABLE = "no keys from the issuer: oidc: fetch the discovery document: network failure";

describe("createKeySource()", () => {
  test("fetches nothing before it is asked, and once for all who ask at the same time", async () => {
    expect(fetches).toBe(0);
    expect(await Promise.all([current(), current(), current()])).toEqual([["key-1"], ["key-1"], ["key-1"]]);
    expect(fetches).toBe(1);
  });

  test("holds the keys for an hour and answers at once meanwhile", async () => {
    await current();
    for (const afterMs of [HOUR_MS / 2 - 1, HOUR_MS / 2]) {
      clock.advance(afterMs);
      expect(source.current()).not.toBeInstanceOf(Promise);
    }
  });

  test("asks again after an hour before it answers, so that a withdrawn key judges nothing more", async () => {
    await current();
    published = KEYS.slice(1);
    clock.advance(HOUR_MS);
    expect(await current()).toEqual(["key-2"]);
  });

  test("takes an empty key set for what it says: every key is withdrawn", async () => {
    await current();
    published = [];
    clock.advance(HOUR_MS);
    expect(await current()).toEqual([]);
  });

  test("tells its observer of every fetch", async () => {
    await current();
    reachable = false;
    clock.advance(HOUR_MS);
    await source.refresh();
    expect(events).toEqual(["1 keys", `failed, held for ${HOUR_MS}`]);
  });
});

describe("createKeySource() renews keys in use ahead of time", () => {
  test("when half an hour is over, once, and lets nobody wait", async () => {
    await current();
    clock.advance(HOUR_MS / 2 - 1);
    void source.current();
    expect(fetches).toBe(1);
    clock.advance(1);
    for (let count = 0; count < 100; count++) expect(source.current()).not.toBeInstanceOf(Promise);
    await clock.advanceAndSettle(0);
    expect(fetches).toBe(2);
    clock.advance(HOUR_MS / 2 - 1);
    void source.current();
    expect(fetches).toBe(2);
  });

  test("and tries every 30 seconds while that fails, so that the end of the hour finds the issuer known to be away", async () => {
    await current();
    reachable = false;
    clock.advance(HOUR_MS / 2);
    for (let seconds = 0; seconds < 45 * 60; seconds += 5) {
      expect(source.current()).not.toBeInstanceOf(Promise);
      await clock.advanceAndSettle(5_000);
    }
    expect(fetches).toBeWithin(85, 92);
  });

  test("but never for keys that nobody uses", async () => {
    await current();
    await clock.advanceAndSettle(10 * HOUR_MS);
    expect(fetches).toBe(1);
  });
});

describe("createKeySource() with an unknown kid", () => {
  test("fetches once per 30 seconds, however many tokens name unknown keys", async () => {
    await current();
    clock.advance(30_000);
    published = KEYS;
    const answers = await Promise.all(Array.from({ length: 100 }, afterUnknownKid));
    expect(answers.every((kids) => Bun.deepEquals(kids, ["key-1", "key-2"]))).toBe(true);
    for (let second = 0; second < 29; second++) {
      clock.advance(1000);
      await afterUnknownKid();
    }
    expect(fetches).toBe(2);
    clock.advance(1000);
    await afterUnknownKid();
    expect(fetches).toBe(3);
  });

  test("does not fetch again right after the first fetch", async () => {
    await current();
    expect(await afterUnknownKid()).toEqual(["key-1"]);
    expect(fetches).toBe(1);
  });

  test("is unavailable when the fetch fails, and stays so for the cool-down, while known keys go on serving", async () => {
    await current();
    clock.advance(30_000);
    reachable = false;
    expect(await afterUnknownKid()).toBe(UNREACHABLE);
    expect(await afterUnknownKid()).toBe(UNREACHABLE);
    expect(await current()).toEqual(["key-1"]);
    expect(fetches).toBe(2);
  });
});

describe("createKeySource() while the issuer is out of reach", () => {
  test("is unavailable with the cause when it holds nothing, asking at most once a second", async () => {
    reachable = false;
    expect(await current()).toBe(UNREACHABLE);
    clock.advance(999);
    expect(await current()).toBe(UNREACHABLE);
    expect(fetches).toBe(1);
    reachable = true;
    clock.advance(1);
    expect(await current()).toEqual(["key-1"]);
  });

  test("serves the keys it holds until they are 24 hours old, and not a moment longer", async () => {
    await current();
    reachable = false;
    clock.advance(24 * HOUR_MS - 1);
    expect(await current()).toEqual(["key-1"]);
    clock.advance(1);
    expect(await current()).toBe(UNREACHABLE);
  });

  test("lets nobody wait once that is known, and asks again every 30 seconds behind their backs", async () => {
    await current();
    reachable = false;
    clock.advance(HOUR_MS);
    await current();
    clock.advance(29_999);
    expect(source.current()).not.toBeInstanceOf(Promise);
    expect(fetches).toBe(2);
    reachable = true;
    published = KEYS;
    clock.advance(1);
    expect(source.current()).not.toBeInstanceOf(Promise);
    await source.refresh();
    expect(fetches).toBe(3);
    expect(await current()).toEqual(["key-1", "key-2"]);
  });

  test("keeps what it holds when documents are malformed", async () => {
    await current();
    published = [];
    const malformed = createKeySource({
      random: () => 0,
      issuer: `${ISSUER}/other`,
      fetch: fetchFromIssuer,
      clock,
    });
    expect(kidsOf(await malformed.current())).toBe(
      "no keys from the issuer: oidc: fetch the discovery document: it names another issuer",
    );
    expect(await current()).toEqual(["key-1"]);
  });
});

describe("refresh()", () => {
  test("fetches ahead of time and starts the hour anew", async () => {
    await current();
    clock.advance(HOUR_MS - 1000);
    await source.refresh();
    clock.advance(HOUR_MS / 2 - 1);
    expect(source.current()).not.toBeInstanceOf(Promise);
    expect(fetches).toBe(2);
  });

  test("says that it failed, and leaves the keys in force", async () => {
    await current();
    reachable = false;
    expect(kidsOf(await source.refresh())).toBe(UNREACHABLE);
    expect(await current()).toEqual(["key-1"]);
  });
});
