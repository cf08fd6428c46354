import { describe, expect, test } from "bun:test";
import { createTokenCodec, type ExpectedToken } from "../../../src/token/token-codec.ts";
import { VendedToken } from "../../../src/token/vended-token.ts";

const NOW_MS = Date.UTC(2026, 0, 12, 22, 46, 0);
const TOKEN = "ghs_16C7e42F292c6912E7710c838347Ae178B4a";
const URL_OF_WIDGET = "https://github.com/acme/widget";

const expected: ExpectedToken = {
  description: {
    organizationSlug: "acme",
    profile: "repo:default",
    permissions: ["contents:read", "metadata:read"],
    app: { name: "default", appId: 111, installationId: 222 },
  },
  nowMs: () => NOW_MS,
  repositoriesOf: () => ({ kind: "names", names: ["widget"] }),
  admit: (repositories, url) =>
    url === URL_OF_WIDGET && repositories.kind === "names" && repositories.names.join() === "widget" ? url : undefined,
};
const codec = createTokenCodec(expected);

/** The contract's example of a reply, with the ids that an entry has. */
const ENTRY = {
  organizationSlug: "acme",
  profile: "repo:default",
  repositoryUrl: URL_OF_WIDGET,
  repositories: { names: ["widget"] },
  permissions: ["contents:read", "metadata:read"],
  app: "default",
  appId: 111,
  installationId: 222,
  token: TOKEN,
  hashedToken: new Bun.CryptoHasher("sha256").update(TOKEN).digest("base64"),
  expiry: "2026-01-12T23:45:42Z",
};
const decode = (changes: object = {}) => codec.decode(JSON.stringify({ ...ENTRY, ...changes }));
const verdict = (changes: object) => {
  const decoded = decode(changes);
  return decoded.kind === "unused" ? decoded.why : decoded.kind;
};

describe("a token's cache entry", () => {
  test("is the reply of POST /token with app, appId and installationId, whatever clients get to see", () => {
    const token = new VendedToken(TOKEN, Date.parse(ENTRY.expiry) / 1000, URL_OF_WIDGET);
    expect(codec.encode(token)).toBe(JSON.stringify(ENTRY));
    expect(codec.decode(codec.encode(token))).toEqual({ kind: "value", value: token });
  });

  test.each([
    ["fields that nobody knows", { version: 2, nested: { a: [1] } }],
    ["no app", { app: undefined }],
    ["another name of the same App", { app: "packages" }],
    ["no ids", { appId: undefined, installationId: undefined }],
    ["permissions in another order", { permissions: ["metadata:read", "contents:read"] }],
    ["five minutes left", { expiry: "2026-01-12T22:51:00Z" }],
    ["65 minutes left", { expiry: "2026-01-12T23:51:00Z" }],
  ])("is used with %s", (_what, changes) => {
    expect(decode(changes).kind).toBe("value");
  });

  test.each([
    ["another organization", { organizationSlug: "globex" }, "another-request"],
    ["another profile", { profile: "repo:release" }, "another-request"],
    ["another kind of profile", { profile: "org:default" }, "another-request"],
    ["a profile in another spelling", { profile: "repo:Default" }, "another-request"],
    ["a scope where none is", { profile: "repo:default/widget" }, "another-request"],
    ["another App", { appId: 112 }, "another-request"],
    ["another installation", { installationId: 223 }, "another-request"],
    ["a permission more", { permissions: [...ENTRY.permissions, "issues:write"] }, "another-request"],
    ["a permission less", { permissions: ["contents:read"] }, "another-request"],
    ["a wider permission", { permissions: ["contents:write", "metadata:read"] }, "another-request"],
    ["another repository", { repositories: { names: ["gadget"] } }, "another-request"],
    ["all repositories", { repositories: { wildcard: true } }, "another-request"],
    ["no repositories", { repositories: { names: [] } }, "another-request"],
    ["another repository URL", { repositoryUrl: "https://github.com/acme/gadget" }, "another-request"],
    ["another token", { token: "ghs_other" }, "another-request"],
    ["another hash", { hashedToken: "AAAA" }, "another-request"],
    ["less than five minutes left", { expiry: "2026-01-12T22:50:59Z" }, "expiry"],
    ["more than 65 minutes left", { expiry: "2026-01-12T23:51:01Z" }, "expiry"],
    ["its end behind it", { expiry: "2026-01-12T22:00:00Z" }, "expiry"],
    ["no token", { token: undefined }, "malformed"],
    ["a token with a line feed", { token: `${TOKEN}\n` }, "malformed"],
    ["a token that is a number", { token: 5 }, "malformed"],
    ["no expiry", { expiry: undefined }, "malformed"],
    ["an expiry as a number", { expiry: 1768261542 }, "malformed"],
    ["an expiry on a day there is not", { expiry: "2026-13-45T23:45:42Z" }, "malformed"],
    ["an expiry in another zone", { expiry: "2026-01-12T23:45:42+01:00" }, "malformed"],
    ["an id as text", { appId: "111" }, "malformed"],
    ["an id that is no whole number", { appId: 111.5 }, "malformed"],
    ["names beside all repositories", { repositories: { names: ["widget"], wildcard: true } }, "malformed"],
    ["repositories as a list", { repositories: ["widget"] }, "malformed"],
    ["neither names nor all", { repositories: {} }, "malformed"],
    ["permissions as an object", { permissions: { contents: "read" } }, "malformed"],
  ])("is not used with %s", (_what, changes, why) => {
    expect<string>(verdict(changes)).toBe(why);
  });

  test.each([
    ["", "broken-json"],
    ["{", "broken-json"],
    ["\u0000", "broken-json"],
    ["null", "malformed"],
    ["[]", "malformed"],
    ['"text"', "malformed"],
    ["{}", "malformed"],
    ['{"__proto__":{}}', "malformed"],
  ] as const)("is not used when it reads %p", (text, why) => {
    expect(codec.decode(text)).toEqual({ kind: "unused", why });
  });

  test("is shared by callers who spell a repository in different ways", () => {
    const scoped = createTokenCodec({
      ...expected,
      description: { ...expected.description, profile: "org:deploy/Widget" },
    });
    const stored = (profile: string) => scoped.decode(JSON.stringify({ ...ENTRY, profile })).kind;
    expect([stored("org:deploy/widget"), stored("org:deploy/WIDGET"), stored("org:Deploy/widget")]).toEqual([
      "value",
      "value",
      "unused",
    ]);
  });
});
