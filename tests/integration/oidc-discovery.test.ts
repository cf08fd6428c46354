import { describe, expect, test } from "bun:test";
import { boundedFetch } from "../../src/lib/bounded-fetch.ts";
import type { BuildkiteIdentity, Verifier } from "../../src/oidc/buildkite-identity.ts";
import { discoverKeys } from "../../src/oidc/discover-keys.ts";
import { createKeySource } from "../../src/oidc/key-source.ts";
import { createVerifier } from "../../src/oidc/verifier.ts";
import { createFixedClock, type FixedClock } from "../support/fixed-clock.ts";
import { startIssuerServer, type IssuerServer } from "../support/oidc-issuer-server.ts";
import { AUDIENCE, CLAIMS, createIssuerKey, signToken } from "../support/oidc-tokens.ts";

const KEY = createIssuerKey("key-1");
const NEXT_KEY = createIssuerKey("key-2");
const DISCOVERY = "/.well-known/openid-configuration";

function verifierFor(issuer: string, clock: FixedClock): Verifier<BuildkiteIdentity> {
  const keySource = createKeySource({ issuer, fetch: boundedFetch, clock, random: () => 0 });
  return createVerifier({
    issuer,
    audience: AUDIENCE,
    organizationSlug: "acme",
    keySource,
    clock,
    introduce: (identity) => identity,
  });
}

function tokenFrom(issuer: string, key = KEY, header?: unknown): string {
  return signToken(key, { ...CLAIMS, iss: issuer }, header);
}

/** More than any limit, without an end of its own. */
function endlessBody(): Response {
  const chunk = new TextEncoder().encode(`"${" ".repeat(65_536)}"`);
  return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
}

describe("verification with keys from discovery", () => {
  test("asks the issuer once for any number of requests", async () => {
    await using issuer = startIssuerServer([KEY.jwk]);
    const verifier = verifierFor(issuer.url, createFixedClock());
    const verdicts = await Promise.all(Array.from({ length: 32 }, async () => verifier.verify(tokenFrom(issuer.url))));
    expect(new Set(verdicts.map((verdict) => verdict.kind))).toEqual(new Set(["authenticated"]));
    expect(issuer.requests).toEqual([DISCOVERY, "/jwks"]);
  });

  test("follows a rotation of keys: the new one works at once, the old one until the hour is over", async () => {
    await using issuer = startIssuerServer([KEY.jwk]);
    const clock = createFixedClock();
    const verifier = verifierFor(issuer.url, clock);
    const longLived = signToken(KEY, { ...CLAIMS, iss: issuer.url, exp: Number(CLAIMS["exp"]) + 7200 });
    await verifier.verify(longLived);
    issuer.jwks = () => Response.json({ keys: [KEY.jwk, NEXT_KEY.jwk] });
    clock.advance(30_000);
    expect(await verifier.verify(tokenFrom(issuer.url, NEXT_KEY))).toMatchObject({ kind: "authenticated" });
    expect(verifier.verify(longLived)).toMatchObject({ kind: "authenticated" });
    issuer.jwks = () => Response.json({ keys: [NEXT_KEY.jwk] });
    clock.advance(3_600_000);
    expect(await verifier.verify(longLived)).toMatchObject({ kind: "invalid" });
  });

  test("discovery is never fetched from a URL in the caller's token", async () => {
    await using issuer = startIssuerServer([KEY.jwk]);
    await using rogue = startIssuerServer([NEXT_KEY.jwk]);
    const verifier = verifierFor(issuer.url, createFixedClock());
    const elsewhere = { jku: `${rogue.url}/jwks`, x5u: `${rogue.url}/jwks`, iss: rogue.url, jwk: NEXT_KEY.jwk };
    for (const kid of ["key-2", "key-1", `${rogue.url}/jwks`, undefined]) {
      const header = { alg: "RS256", kid, ...elsewhere };
      expect(await verifier.verify(tokenFrom(rogue.url, NEXT_KEY, header))).toMatchObject({ kind: "invalid" });
    }
    expect(rogue.requests).toEqual([]);
  });

  test("is unavailable when the issuer cannot be reached and nothing is held", async () => {
    const gone = startIssuerServer([]);
    await gone[Symbol.asyncDispose]();
    const verdict = await verifierFor(gone.url, createFixedClock()).verify(tokenFrom(gone.url));
    expect(verdict).toMatchObject({
      kind: "unavailable",
      cause: expect.stringContaining("fetch the discovery document"),
    });
  });

  test("is unavailable for an unknown kid when the issuer fails then, while known keys go on", async () => {
    await using issuer = startIssuerServer([KEY.jwk]);
    const clock = createFixedClock();
    const verifier = verifierFor(issuer.url, clock);
    await verifier.verify(tokenFrom(issuer.url));
    clock.advance(30_000);
    issuer.discovery = () => new Response("", { status: 503 });
    expect(await verifier.verify(tokenFrom(issuer.url, NEXT_KEY))).toEqual({
      kind: "unavailable",
      cause: "no keys from the issuer: oidc: fetch the discovery document (status 503)",
    });
    expect(verifier.verify(tokenFrom(issuer.url))).toMatchObject({ kind: "authenticated" });
  });
});

describe("discoverKeys() rejects", () => {
  const table: readonly (readonly [string, (issuer: IssuerServer) => void, string])[] = [
    [
      "a discovery document that is not 200",
      (issuer) => (issuer.discovery = () => new Response("{}", { status: 404 })),
      "upstream-unavailable",
    ],
    [
      "a key set that is not 200",
      (issuer) => (issuer.jwks = () => new Response("{}", { status: 500 })),
      "upstream-unavailable",
    ],
    [
      "a redirect of discovery",
      (issuer) => (issuer.discovery = () => Response.redirect(`${issuer.url}/jwks`)),
      "upstream-unavailable",
    ],
    [
      "a redirect of the key set",
      (issuer) => (issuer.jwks = () => Response.redirect(`${issuer.url}${DISCOVERY}`)),
      "upstream-unavailable",
    ],
    [
      "another issuer",
      (issuer) =>
        (issuer.discovery = () => Response.json({ issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/jwks` })),
      "upstream-malformed",
    ],
    ["no jwks_uri", (issuer) => (issuer.discovery = () => Response.json({ issuer: issuer.url })), "upstream-malformed"],
    [
      "a jwks_uri over plain HTTP elsewhere",
      (issuer) =>
        (issuer.discovery = () => Response.json({ issuer: issuer.url, jwks_uri: "http://issuer.example/jwks" })),
      "upstream-malformed",
    ],
    [
      "a jwks_uri on a name that only looks like loopback",
      (issuer) =>
        (issuer.discovery = () =>
          Response.json({ issuer: issuer.url, jwks_uri: "http://127.0.0.1.issuer.example/jwks" })),
      "upstream-malformed",
    ],
    [
      "a jwks_uri with user information",
      (issuer) =>
        (issuer.discovery = () => Response.json({ issuer: issuer.url, jwks_uri: "https://a:b@issuer.example/jwks" })),
      "upstream-malformed",
    ],
    [
      "a jwks_uri that is a file",
      (issuer) => (issuer.discovery = () => Response.json({ issuer: issuer.url, jwks_uri: "file:///etc/passwd" })),
      "upstream-malformed",
    ],
    [
      "a jwks_uri that is relative",
      (issuer) => (issuer.discovery = () => Response.json({ issuer: issuer.url, jwks_uri: "/jwks" })),
      "upstream-malformed",
    ],
    [
      "a discovery document that is no JSON",
      (issuer) => (issuer.discovery = () => new Response("<html>")),
      "upstream-malformed",
    ],
    ["a key set that is no JSON", (issuer) => (issuer.jwks = () => new Response("<html>")), "upstream-malformed"],
    ["a key set without keys", (issuer) => (issuer.jwks = () => Response.json({})), "upstream-malformed"],
  ];
  test.each(table)("%s", async (_name, arrange, code) => {
    await using issuer = startIssuerServer([KEY.jwk]);
    arrange(issuer);
    expect(await discoverKeys(issuer.url, boundedFetch).catch((error: unknown) => error)).toMatchObject({ code });
  });

  test("plain HTTP to anywhere but this machine, without asking", async () => {
    const untouchable = (): never => {
      throw new Error("asked");
    };
    const failure = await discoverKeys("http://issuer.example", untouchable).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "upstream-malformed" });
  });

  test("a loopback jwks_uri over plain HTTP when the issuer is elsewhere", async () => {
    const document = { issuer: "https://issuer.example", jwks_uri: "http://127.0.0.1:1/jwks" };
    const body = new TextEncoder().encode(JSON.stringify(document));
    const asked: string[] = [];
    const failure = await discoverKeys("https://issuer.example", async ({ url }) => {
      asked.push(url);
      return { status: 200, headers: new Headers(), body };
    }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "upstream-malformed" });
    expect(asked).toEqual([`https://issuer.example${DISCOVERY}`]);
  });

  test("an unbounded discovery body", async () => {
    await using issuer = startIssuerServer([KEY.jwk]);
    issuer.discovery = () => endlessBody();
    const failure = await discoverKeys(issuer.url, boundedFetch).catch((error: unknown) => error);
    expect(String(failure)).toContain("fetch the discovery document: reply over 65536 bytes");
    expect(issuer.requests).toEqual([DISCOVERY]);
  });

  test("an unbounded JWKS body", async () => {
    await using issuer = startIssuerServer([KEY.jwk]);
    issuer.jwks = () => endlessBody();
    const failure = await discoverKeys(issuer.url, boundedFetch).catch((error: unknown) => error);
    expect(String(failure)).toContain("fetch the key set: reply over 524288 bytes");
  });
});

test("discoverKeys() finds the document of an issuer that is written with a slash at the end", async () => {
  await using issuer = startIssuerServer([KEY.jwk]);
  issuer.discovery = () => Response.json({ issuer: `${issuer.url}/`, jwks_uri: `${issuer.url}/jwks` });
  const keys = await discoverKeys(`${issuer.url}/`, boundedFetch);
  expect(keys.usableCount).toBe(1);
  expect(issuer.requests).toEqual([DISCOVERY, "/jwks"]);
});
