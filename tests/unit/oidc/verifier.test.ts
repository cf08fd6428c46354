import { beforeEach, describe, expect, test } from "bun:test";
import { constants, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import type { Authentication, BuildkiteIdentity, Verifier } from "../../../src/oidc/buildkite-identity.ts";
import { createKeySet } from "../../../src/oidc/key-set.ts";
import type { Keys, KeySource } from "../../../src/oidc/key-source.ts";
import { createStaticKeySource } from "../../../src/oidc/static-key-source.ts";
import { createVerifier, type Verdict } from "../../../src/oidc/verifier.ts";
import { createFixedClock, type FixedClock } from "../../support/fixed-clock.ts";
import {
  AUDIENCE,
  CLAIMS,
  createIssuerKey,
  encode,
  ISSUER,
  NOW_SECONDS,
  signToken,
  signWithHmac,
} from "../../support/oidc-tokens.ts";

const KEY = createIssuerKey("key-1");
const OTHER_KEY = createIssuerKey("key-2");
const STRANGER = createIssuerKey("key-1");
const RS256 = { alg: "RS256", kid: "key-1" };

let clock: FixedClock;
let verifier: Verifier<BuildkiteIdentity>;
let verdicts: Verdict[];

beforeEach(() => {
  clock = createFixedClock();
  verdicts = [];
  verifier = verifierOver(createStaticKeySource(JSON.stringify({ keys: [KEY.jwk, OTHER_KEY.jwk] })));
});

function verifierOver(keySource: KeySource, pin: { organizationId?: string } = {}): Verifier<BuildkiteIdentity> {
  const observer = { judged: (verdict: Verdict) => void verdicts.push(verdict) };
  return createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    organizationSlug: "acme",
    ...pin,
    introduce: (identity) => identity,
    keySource,
    clock,
    observer,
  });
}

/** With keys at hand the verdict is there at once. */
function judge(jwt: string): Authentication<BuildkiteIdentity> {
  const authentication = verifier.verify(jwt);
  if (authentication instanceof Promise) throw new Error("a promise, with keys at hand");
  return authentication;
}

function invalid(cause: string): Authentication<never> {
  return { kind: "invalid", cause };
}

describe("createVerifier() accepts", () => {
  test("a complete token, and gives the claims of the build and those that profiles match on", () => {
    const authentication = judge(signToken(KEY));
    if (authentication.kind !== "authenticated") throw new Error("refused");
    const { claims, ...identity } = authentication.caller;
    expect({ ...identity, claims: [...claims.keys()].map((name) => [name, claims.get(name)]) }).toEqual({
      issuer: ISSUER,
      subject: String(CLAIMS["sub"]),
      audience: [AUDIENCE],
      expiresAtEpochSeconds: NOW_SECONDS + 300,
      organizationSlug: "acme",
      pipelineSlug: "widget",
      pipelineId: "0180aaaa-0000-4000-8000-000000000002",
      buildNumber: 42,
      buildBranch: "main",
      jobId: "0180aaaa-0000-4000-8000-000000000003",
      claims: [
        ["pipeline_slug", "widget"],
        ["pipeline_id", "0180aaaa-0000-4000-8000-000000000002"],
        ["build_number", "42"],
        ["build_branch", "main"],
        ["build_commit", "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"],
        ["build_tag", "v1.2.3"],
        ["agent_tag:queue", "default"],
      ],
    });
    expect(claims.get("queue_key")).toBeUndefined();
    expect(claims.get("constructor")).toBeUndefined();
  });

  const accepted: readonly (readonly [string, Record<string, unknown>])[] = [
    ["an audience in a list among others", { aud: ["other", AUDIENCE] }],
    ["build number 0", { build_number: 0 }],
    ["no iat", { iat: undefined }],
    ["an iat within the skew", { iat: NOW_SECONDS + 5 }],
    ["an nbf within the skew", { nbf: NOW_SECONDS + 5 }],
    ["an exp that passed within the skew", { exp: NOW_SECONDS - 4 }],
    ["an exp exactly 24 hours ahead", { exp: NOW_SECONDS + 86_400 }],
    ["times with fractions", { exp: NOW_SECONDS + 60.5, nbf: NOW_SECONDS - 0.5 }],
    ["null for every optional claim", { build_tag: null, step_key: null, cluster_id: null, "agent_tag:queue": null }],
    ["empty optional claims", { build_tag: "", queue_key: "", "agent_tag:queue": "" }],
    ["unknown claims of any type", { surprise: { nested: [1, { a: 1, b: 2 }] }, another: null }],
    ["a claim called __proto__", { ["__proto__"]: { admin: true } }],
    ["a branch with a slash and a space, which match rules judge", { build_branch: "feature/a b" }],
  ];
  test.each(accepted)("%s", (_name, change) => {
    expect(judge(signToken(KEY, { ...CLAIMS, ...change }))).toMatchObject({ kind: "authenticated" });
  });

  test("a __proto__ claim without letting it lend a claim that is missing", () => {
    const text = JSON.stringify({ ...CLAIMS, pipeline_id: undefined }).replace(
      "{",
      '{"__proto__":{"pipeline_id":"x"},',
    );
    expect(judge(signToken(KEY, text))).toMatchObject({ kind: "invalid" });
  });

  test("headers that name keys elsewhere, without reading them", () => {
    const header = {
      ...RS256,
      jku: "https://evil.example/jwks",
      x5u: "https://evil.example/cert",
      x5c: [1],
      jwk: STRANGER.jwk,
    };
    expect(judge(signToken(KEY, CLAIMS, header))).toMatchObject({ kind: "authenticated" });
    expect(judge(signToken(STRANGER, CLAIMS, header))).toEqual(invalid("the signature does not verify"));
  });

  test("an organization id that is pinned", () => {
    verifier = verifierOver(createStaticKeySource(JSON.stringify({ keys: [KEY.jwk] })), {
      organizationId: String(CLAIMS["organization_id"]),
    });
    expect(judge(signToken(KEY))).toMatchObject({ kind: "authenticated" });
    expect(judge(signToken(KEY, { ...CLAIMS, organization_id: "another" }))).toEqual(
      invalid('claim "organization_id" is not the configured organization'),
    );
    expect(judge(signToken(KEY, { ...CLAIMS, organization_id: null }))).toEqual(
      invalid('claim "organization_id" is missing: agents send it with --claim organization_id'),
    );
  });

  test("a claims map without optional claims that are empty or null", () => {
    const bare = { build_tag: "", cluster_id: null, queue_key: undefined, "agent_tag:queue": "" };
    const authentication = judge(signToken(KEY, { ...CLAIMS, ...bare }));
    if (authentication.kind !== "authenticated") throw new Error("refused");
    expect([...authentication.caller.claims.keys()]).toEqual([
      "pipeline_slug",
      "pipeline_id",
      "build_number",
      "build_branch",
      "build_commit",
    ]);
  });
});

describe("createVerifier() rejects by form or signature", () => {
  const good = signToken(KEY);
  const [header = "", payload = "", signature = ""] = good.split(".");
  const spki = createPublicKey(KEY.privateKey).export({ type: "spki", format: "pem" });
  const payloadText = JSON.stringify(CLAIMS);
  const withHeader = (value: unknown): string => signToken(KEY, CLAIMS, value);
  const signedAs = (alg: string, make: (input: Buffer) => Buffer): string => {
    const input = `${encode(JSON.stringify({ alg, kid: "key-1" }))}.${payload}`;
    return `${input}.${encode(make(Buffer.from(input)))}`;
  };
  const pss = { key: KEY.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const ecKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

  const NOT_THREE = "the token is not a JWS of three parts";
  const NOT_RS256 = "the header's alg is not RS256";
  const BAD_HEADER = "the header is not one JSON object with distinct members";
  const BAD_PAYLOAD = "the payload is not one JSON object with distinct members";
  const BAD_SIGNATURE = "the signature does not verify";
  const notCanonical = (part: string): string => `the ${part} is empty or not canonical base64url`;

  const table: readonly (readonly [string, string, string])[] = [
    ["an empty token", "", NOT_THREE],
    ["one part", "abc", NOT_THREE],
    ["two parts", `${header}.${payload}`, NOT_THREE],
    ["four parts", `${good}.`, NOT_THREE],
    ["five parts (JWE)", `${good}.${payload}.${signature}`, NOT_THREE],
    ["the JSON serialization", JSON.stringify({ protected: header, payload, signature }), NOT_THREE],
    ["a token over 8 KiB", signToken(KEY, { ...CLAIMS, filler: "x".repeat(8192) }), "the token is over 8 KiB"],
    ["an empty header", `.${payload}.${signature}`, notCanonical("header")],
    ["an empty payload", `${header}..${signature}`, notCanonical("payload")],
    ["an empty signature", `${header}.${payload}.`, notCanonical("signature")],
    ["padding", `${header}.${payload}.${signature}==`, notCanonical("signature")],
    ["plus and slash", `${header}.${payload}.+/${signature.slice(2)}`, notCanonical("signature")],
    ["stray bits", `${header}.${payload}.${withStrayBits(signature)}`, notCanonical("signature")],
    [
      "white space inside",
      `${header}.${payload}.${signature.slice(0, 9)} ${signature.slice(9)}`,
      notCanonical("signature"),
    ],
    ["a line feed at the end", `${good}\n`, notCanonical("signature")],
    ["a NUL", `${header}.${payload}.\0${signature}`, notCanonical("signature")],
    ["a letter beyond ASCII", `${header}.${payload}.é${signature}`, notCanonical("signature")],
    ["a header that is no JSON", withHeader("nope"), BAD_HEADER],
    ["a header that is a list", withHeader("[]"), BAD_HEADER],
    ["a header that is null", withHeader("null"), BAD_HEADER],
    ["a header behind a byte-order mark", withHeader(`\uFEFF${JSON.stringify(RS256)}`), BAD_HEADER],
    ["two headers in a row", withHeader(`${JSON.stringify(RS256)}{}`), BAD_HEADER],
    ["a repeated header member", withHeader('{"alg":"RS256","kid":"key-1","alg":"RS256"}'), BAD_HEADER],
    ["a repeated header member in other spelling", withHeader('{"alg":"none","\\u0061lg":"RS256"}'), BAD_HEADER],
    ["a header nested beyond reason", withHeader(`${"[".repeat(2000)}${"]".repeat(2000)}`), BAD_HEADER],
    ["no alg", withHeader({ kid: "key-1" }), NOT_RS256],
    ["alg none", `${encode('{"alg":"none"}')}.${payload}.${signature}`, NOT_RS256],
    ["alg none without a signature", `${encode('{"alg":"none"}')}.${payload}.`, NOT_RS256],
    ["alg in other case", withHeader({ ...RS256, alg: "rs256" }), NOT_RS256],
    ["alg in a list", withHeader({ ...RS256, alg: ["RS256"] }), NOT_RS256],
    ["HS256 with the public key as secret", signWithHmac(spki, CLAIMS, { ...RS256, alg: "HS256" }), NOT_RS256],
    ["an HMAC under the name RS256", signWithHmac(spki, CLAIMS, RS256), BAD_SIGNATURE],
    ["ES256", signedAs("ES256", (input) => sign("sha256", input, ecKey)), NOT_RS256],
    ["PS256", signedAs("PS256", (input) => sign("sha256", input, pss)), NOT_RS256],
    ["a PSS signature under the name RS256", signedAs("RS256", (input) => sign("sha256", input, pss)), BAD_SIGNATURE],
    ["RS512", signedAs("RS512", (input) => sign("sha512", input, KEY.privateKey)), NOT_RS256],
    [
      "SHA-512 under the name RS256",
      signedAs("RS256", (input) => sign("sha512", input, KEY.privateKey)),
      BAD_SIGNATURE,
    ],
    ["crit", withHeader({ ...RS256, crit: ["exp"], exp: 1 }), "the header has crit, which is not supported"],
    ["an empty crit", withHeader({ ...RS256, crit: [] }), "the header has crit, which is not supported"],
    ["b64", withHeader({ ...RS256, crit: ["b64"], b64: false }), "the header has crit, which is not supported"],
    ["b64 without crit", withHeader({ ...RS256, b64: false }), "the header has b64, which is not supported"],
    ["a kid that is no string", withHeader({ ...RS256, kid: 1 }), "the header's kid is not a string"],
    ["a kid that is null", withHeader({ ...RS256, kid: null }), "the header's kid is not a string"],
    [
      "an unknown kid",
      withHeader({ ...RS256, kid: "../key-1" }),
      "the issuer has no usable key of the name in the header's kid",
    ],
    [
      "no kid while there are two keys",
      withHeader({ alg: "RS256" }),
      "the token names no key, and the issuer has not exactly one",
    ],
    ["a signature by a stranger", signToken(STRANGER), BAD_SIGNATURE],
    ["a signature by another key of the issuer", signToken(OTHER_KEY, CLAIMS, RS256), BAD_SIGNATURE],
    ["a signature cut short", `${header}.${payload}.${signature.slice(0, 340)}`, BAD_SIGNATURE],
    ["a signature of zeros", `${header}.${payload}.${encode(new Uint8Array(256))}`, BAD_SIGNATURE],
    ["another payload", `${header}.${encode(payloadText.replace("widget", "gadget"))}.${signature}`, BAD_SIGNATURE],
    ["a payload that is no JSON", signToken(KEY, "nope"), BAD_PAYLOAD],
    ["a payload that is a list", signToken(KEY, [CLAIMS]), BAD_PAYLOAD],
    ["a payload that is a string", signToken(KEY, '"x"'), BAD_PAYLOAD],
    ["a repeated claim", signToken(KEY, payloadText.replace("{", '{"pipeline_slug":"other",')), BAD_PAYLOAD],
    [
      "a repeated claim in other spelling",
      signToken(KEY, payloadText.replace("{", '{"\\u0061ud":"other",')),
      BAD_PAYLOAD,
    ],
    ["a payload behind a byte-order mark", signToken(KEY, `\uFEFF${payloadText}`), BAD_PAYLOAD],
    ["NaN for a time", signToken(KEY, payloadText.replace(/"exp":\d+/, '"exp":NaN')), BAD_PAYLOAD],
  ];
  test.each(table)("%s", (_name, jwt, cause) => {
    expect(judge(jwt)).toEqual(invalid(cause));
    expect(verdicts).toEqual(["invalid"]);
  });

  test("a payload that is not UTF-8", () => {
    const input = `${header}.${encode(Buffer.from('{"iss":"\xff"}', "latin1"))}`;
    const jwt = `${input}.${encode(sign("RSA-SHA256", Buffer.from(input), KEY.privateKey))}`;
    expect(judge(jwt)).toEqual(invalid(BAD_PAYLOAD));
  });
});

describe("createVerifier() rejects by claim", () => {
  const missing = (claim: string): string => `claim "${claim}" is missing`;
  const notString = (claim: string): string => `claim "${claim}" is not a string`;
  const badId = (claim: string): string =>
    `claim "${claim}" holds a slash, white space or a control character, or is a dot segment`;
  const required = ["organization_slug", "pipeline_slug", "build_branch", "build_commit", "job_id", "agent_id"];

  const table: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ...["iss", "aud", "exp", "nbf", "sub"].map((name) => [`no ${name}`, { [name]: undefined }, missing(name)] as const),
    ...required.map((name) => [`no ${name}`, { [name]: undefined }, missing(name)] as const),
    ...required.map((name) => [`null for ${name}`, { [name]: null }, missing(name)] as const),
    ...required.map((name) => [`an empty ${name}`, { [name]: "" }, `claim "${name}" is empty`] as const),
    ...required.map((name) => [`a number for ${name}`, { [name]: 1 }, notString(name)] as const),
    [
      "no pipeline_id",
      { pipeline_id: undefined },
      'claim "pipeline_id" is missing: agents send it with --claim pipeline_id',
    ],
    ["no build_number", { build_number: undefined }, missing("build_number")],
    ["text for build_number", { build_number: "42" }, 'claim "build_number" is not a whole number'],
    ["a fraction for build_number", { build_number: 1.5 }, 'claim "build_number" is not a whole number'],
    ["a negative build_number", { build_number: -1 }, 'claim "build_number" is not a whole number'],
    ["a build_number past what is exact", { build_number: 2 ** 53 }, 'claim "build_number" is not a whole number'],
    ["another issuer", { iss: "https://evil.example" }, 'claim "iss" is not the configured issuer'],
    ["the issuer with a slash", { iss: `${ISSUER}/` }, 'claim "iss" is not the configured issuer'],
    ["the issuer in a list", { iss: [ISSUER] }, 'claim "iss" is not the configured issuer'],
    ["another audience", { aud: "other" }, 'claim "aud" does not include the configured audience'],
    ["a longer audience", { aud: `${AUDIENCE}-2` }, 'claim "aud" does not include the configured audience'],
    ["no audience in the list", { aud: [] }, 'claim "aud" does not include the configured audience'],
    ["an object for aud", { aud: { a: AUDIENCE } }, 'claim "aud" does not include the configured audience'],
    ["a number in the aud list", { aud: [AUDIENCE, 1] }, 'claim "aud" is neither a string nor a list of strings'],
    ["null in the aud list", { aud: [AUDIENCE, null] }, 'claim "aud" is neither a string nor a list of strings'],
    ["an empty sub", { sub: "" }, 'claim "sub" is empty or not a string'],
    ["null for sub", { sub: null }, 'claim "sub" is empty or not a string'],
    ["an exp that has passed", { exp: NOW_SECONDS - 5 }, 'claim "exp" is in the past: the token has expired'],
    ["an exp over 24 hours ahead", { exp: NOW_SECONDS + 86_401 }, 'claim "exp" is more than 24 hours ahead'],
    ["text for exp", { exp: String(NOW_SECONDS + 60) }, 'claim "exp" is not a number'],
    ["null for exp", { exp: null }, 'claim "exp" is not a number'],
    [
      "an nbf to come",
      { nbf: NOW_SECONDS + 6 },
      'claim "nbf" is in the future: the token is not valid yet, or the clocks differ',
    ],
    ["text for nbf", { nbf: "0" }, 'claim "nbf" is not a number'],
    ["an iat to come", { iat: NOW_SECONDS + 6 }, 'claim "iat" is in the future'],
    ["text for iat", { iat: "0" }, 'claim "iat" is not a number'],
    [
      "another organization",
      { organization_slug: "acme2" },
      'claim "organization_slug" is not the configured organization',
    ],
    [
      "an organization in other case",
      { organization_slug: "Acme" },
      'claim "organization_slug" is not the configured organization',
    ],
    ["a slash in pipeline_slug", { pipeline_slug: "a/b" }, badId("pipeline_slug")],
    ["a dot segment for pipeline_slug", { pipeline_slug: ".." }, badId("pipeline_slug")],
    ["a space in pipeline_slug", { pipeline_slug: "a b" }, badId("pipeline_slug")],
    ["a no-break space in pipeline_id", { pipeline_id: "a\u00a0b" }, badId("pipeline_id")],
    ["a line feed at the end of pipeline_id", { pipeline_id: "a\n" }, badId("pipeline_id")],
    ["a NUL in pipeline_slug", { pipeline_slug: "a\0b" }, badId("pipeline_slug")],
    ["a C1 control in job_id", { job_id: "a\u0085" }, badId("job_id")],
    ["a lone surrogate in pipeline_slug", { pipeline_slug: "a\ud800" }, 'claim "pipeline_slug" is not Unicode text'],
    ["a lone surrogate in build_branch", { build_branch: "\udc00" }, 'claim "build_branch" is not Unicode text'],
    ...["build_tag", "step_key", "cluster_id", "cluster_name", "queue_id", "queue_key"].map(
      (name) => [`a list for ${name}`, { [name]: ["x"] }, notString(name)] as const,
    ),
    ["a number for an agent tag", { "agent_tag:canary-name": 1 }, 'claim "agent_tag:…" is not a string'],
  ];
  test.each(table)("%s", (_name, change, cause) => {
    expect(judge(signToken(KEY, { ...CLAIMS, ...change }))).toEqual(invalid(cause));
  });

  test.each([
    ["exp", "1e400"],
    ["nbf", "-1e400"],
    ["iat", "-1e400"],
  ])("%s beyond what a number holds (%s)", (claim, literal) => {
    const text = JSON.stringify(CLAIMS).replace(new RegExp(`"${claim}":\\d+`), `"${claim}":${literal}`);
    expect(judge(signToken(KEY, text))).toEqual(invalid(`claim "${claim}" is not a finite number`));
  });

  test("no claim of a token whose signature does not verify is ever named", () => {
    expect(judge(signToken(STRANGER, {}))).toEqual(invalid("the signature does not verify"));
  });
});

test("createVerifier() fails closed on a fault of its own", () => {
  const nowMs = (): never => {
    throw new RangeError(signToken(KEY));
  };
  verifier = createVerifier({
    issuer: ISSUER,
    audience: AUDIENCE,
    organizationSlug: "acme",
    introduce: (identity) => identity,
    keySource: createStaticKeySource(JSON.stringify({ keys: [KEY.jwk] })),
    clock: { ...clock, nowMs },
  });
  expect(judge(signToken(KEY))).toEqual(invalid("verification failed unexpectedly: RangeError"));
});

describe("a remembered token", () => {
  test("is answered at once, with the same identity from its second use on", () => {
    const jwt = signToken(KEY);
    const [first, second, third] = [judge(jwt), judge(jwt), judge(jwt)].map((one) =>
      one.kind === "authenticated" ? one.caller : undefined,
    );
    expect(first?.subject).toBe("organization:acme:pipeline:widget:ref:refs/heads/main:commit:0a1b2c:step:build");
    expect(second).toEqual(first);
    expect(third).toBe(second);
    expect(verdicts).toEqual(["authenticated", "remembered", "remembered"]);
  });

  test("too long to be kept is read again at each use, and not verified again", () => {
    const jwt = signToken(KEY, { ...CLAIMS, "agent_tag:note": "x".repeat(4000) });
    judge(jwt);
    const second = judge(jwt);
    const third = judge(jwt);
    expect(third).not.toBe(second);
    expect(third).toEqual(second);
    expect(verdicts).toEqual(["authenticated", "remembered", "remembered"]);
  });

  test("expires by its own exp, with the same skew as a new one", () => {
    const jwt = signToken(KEY);
    judge(jwt);
    clock.advance(304_999);
    expect(judge(jwt)).toMatchObject({ kind: "authenticated" });
    clock.advance(1);
    expect(judge(jwt)).toEqual(invalid('claim "exp" is in the past: the token has expired'));
  });

  test("is not valid before its nbf when the wall clock is set back", () => {
    const jwt = signToken(KEY);
    judge(jwt);
    clock.setWall((NOW_SECONDS - 6) * 1000);
    expect(judge(jwt)).toMatchObject({ kind: "invalid" });
  });

  test("goes with the key that verified it, and only with that", () => {
    const source = changeableSource([KEY.jwk, OTHER_KEY.jwk]);
    verifier = verifierOver(source);
    const [jwt, other] = [signToken(KEY), signToken(OTHER_KEY)];
    judge(jwt);
    judge(other);
    source.set([OTHER_KEY.jwk]);
    expect(judge(jwt)).toMatchObject({ kind: "invalid" });
    expect(judge(other)).toMatchObject({ kind: "authenticated" });
    expect(verdicts.at(-1)).toBe("remembered");
  });

  test("goes when its key's name is given to other key material", () => {
    const source = changeableSource([KEY.jwk]);
    verifier = verifierOver(source);
    const jwt = signToken(KEY);
    judge(jwt);
    source.set([STRANGER.jwk]);
    expect(judge(jwt)).toEqual(invalid("the signature does not verify"));
  });

  test("is gone for good once its key has left, even if the key comes back", () => {
    const source = changeableSource([KEY.jwk, OTHER_KEY.jwk]);
    verifier = verifierOver(source);
    const jwt = signToken(KEY);
    judge(jwt);
    source.set([OTHER_KEY.jwk]);
    judge(signToken(OTHER_KEY));
    source.set([KEY.jwk, OTHER_KEY.jwk]);
    judge(jwt);
    expect(verdicts).toEqual(["authenticated", "authenticated", "authenticated"]);
  });

  test("without a kid is judged afresh each time, because a second key makes it ambiguous", () => {
    const source = changeableSource([KEY.jwk]);
    verifier = verifierOver(source);
    const jwt = signToken(KEY, CLAIMS, { alg: "RS256" });
    judge(jwt);
    expect(judge(jwt)).toMatchObject({ kind: "authenticated" });
    source.set([KEY.jwk, OTHER_KEY.jwk]);
    expect(judge(jwt)).toMatchObject({ kind: "invalid" });
    expect(verdicts).toEqual(["authenticated", "authenticated", "invalid"]);
  });

  test("is not answered from memory while there are no keys", () => {
    const source = changeableSource([KEY.jwk]);
    verifier = verifierOver(source);
    const jwt = signToken(KEY);
    judge(jwt);
    source.fail();
    expect(judge(jwt)).toEqual({ kind: "unavailable", cause: "out of reach" });
  });
});

describe("createVerifier() without keys at hand", () => {
  test("resolves once they are fetched", async () => {
    const answer: Keys = { kind: "keys", keys: createKeySet([KEY.jwk]) };
    const pending = {
      current: () => Promise.resolve(answer),
      afterUnknownKid: () => answer,
      refresh: () => Promise.resolve(answer),
    };
    const authentication = verifierOver(pending).verify(signToken(KEY));
    expect(authentication).toBeInstanceOf(Promise);
    expect(await authentication).toMatchObject({ kind: "authenticated" });
  });

  test("is unavailable, and says why, when there are none to be had", async () => {
    const answer: Keys = { kind: "unavailable", cause: "out of reach" };
    const empty = { current: async () => answer, afterUnknownKid: () => answer, refresh: async () => answer };
    expect(await verifierOver(empty).verify(signToken(KEY))).toEqual(answer);
    expect(verdicts).toEqual(["unavailable"]);
  });

  test("asks for none while a token is malformed", () => {
    const untouchable = (): never => {
      throw new Error("asked for keys");
    };
    verifier = verifierOver({ current: untouchable, afterUnknownKid: untouchable, refresh: untouchable });
    expect(judge("garbage")).toMatchObject({ kind: "invalid" });
  });
});

function withStrayBits(encoded: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return encoded.slice(0, -1) + alphabet.charAt(alphabet.indexOf(encoded.slice(-1)) + 1);
}

function changeableSource(
  jwks: readonly unknown[],
): KeySource & { set: (jwks: readonly unknown[]) => void; fail: () => void } {
  let answer: Keys = { kind: "keys", keys: createKeySet(jwks) };
  return {
    current: () => answer,
    afterUnknownKid: () => answer,
    refresh: () => Promise.resolve(answer),
    set: (next) => void (answer = { kind: "keys", keys: createKeySet(next) }),
    fail: () => void (answer = { kind: "unavailable", cause: "out of reach" }),
  };
}
