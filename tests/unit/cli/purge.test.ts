import { describe, expect, test } from "bun:test";
import { readGitHubSeconds } from "../../../src/cli/purge/github-time.ts";
import { runCaptured } from "../../support/command-io.ts";

const VALKEY = { CACHE_TYPE: "valkey", VALKEY_ADDRESS: "localhost:1", VALKEY_TLS: "false" };
const APPS = JSON.stringify([
  { name: "packages", appId: 333, installationId: 444, privateKeyArn: "arn:aws:kms:us-east-1:123456789012:alias/p" },
]);
const PIPELINE = "0190aaaa-0000-4000-8000-000000000001";

describe("purge", () => {
  test.each([
    ["nothing", [], "exactly one of --profile, --pipeline, --app and --all"],
    ["two scopes", ["--all", "--profile", "x"], "exactly one of"],
    ["an empty profile", ["--profile", "repo:"], "--profile takes a profile's name"],
    ["a profile with a repository", ["--profile", "org:plugins/widget"], "--profile takes a profile's name"],
    ["a profile of an unknown kind", ["--profile", "team:plugins"], "--profile takes a profile's name"],
    ["a pipeline's slug", ["--pipeline", "widget"], "--pipeline takes a pipeline's id"],
    ["no value", ["--pipeline"], "--pipeline needs a value"],
    ["an argument", ["all"], "purge takes no arguments"],
    ["a scope that is misspelt", ["--al"], "did you mean --all?"],
  ])("ends with 2 for %s, before it looks at anything", async (_what, argv, message) => {
    const { code, out, err } = await runCaptured(["purge", ...argv]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
  });

  test.each([
    ["no shared cache", ["--all"], {}, "CACHE_TYPE is memory: instances share nothing"],
    ["no address", ["--all"], { CACHE_TYPE: "valkey" }, "VALKEY_ADDRESS is required"],
    [
      "a keyset that is not named",
      ["--all"],
      { ...VALKEY, CACHE_ENCRYPTION_ENABLED: "true" },
      "CACHE_ENCRYPTION_KEYSET_URI is required",
    ],
    [
      "a keyset that is not there",
      ["--all"],
      { ...VALKEY, CACHE_ENCRYPTION_ENABLED: "true", CACHE_ENCRYPTION_KEYSET_FILE: "/no/such" },
      "missing or empty",
    ],
    [
      "authorities that cannot be read",
      ["--all"],
      { ...VALKEY, VALKEY_TLS: "true", VALKEY_TLS_CA_FILE: "/no/such" },
      "VALKEY_TLS_CA_FILE cannot be read",
    ],
    [
      "authorities that are none",
      ["--all"],
      { ...VALKEY, VALKEY_TLS: "true", VALKEY_TLS_CA_FILE: import.meta.path },
      "holds no PEM certificate",
    ],
    ["a server that is not there", ["--pipeline", PIPELINE], VALKEY, "valkey: refused"],
    ["an App without ids", ["--app", "default"], VALKEY, "GITHUB_APP_ID is required"],
    [
      "an App that is misspelt",
      ["--app", "package"],
      { ...VALKEY, GITHUB_APP_ID: "1", GITHUB_APP_INSTALLATION_ID: "2", GITHUB_APPS: APPS },
      "did you mean packages?",
    ],
    [
      "an App that is not configured",
      ["--app", "zzzzzzzz"],
      { ...VALKEY, GITHUB_APP_ID: "1", GITHUB_APP_INSTALLATION_ID: "2", GITHUB_APPS: APPS },
      "there are: default, packages",
    ],
  ])("ends with 1 and says what is wrong: %s", async (_what, argv, environment, message) => {
    const { code, out, err } = await runCaptured(["purge", ...argv], { environment });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(message);
  });

  test("says that nothing was purged when it was not, and what stops tokens all the same", async () => {
    const { err } = await runCaptured(["purge", "--all"], { environment: VALKEY });
    expect(err).toContain("nothing was purged; suspending the App's installation");
  });
});

describe("the time at GitHub", () => {
  const at = (response: () => Promise<Response>) => readGitHubSeconds(new URL("https://api.github.com"), response);
  const dated = (date: string, status = 200) =>
    at(() => Promise.resolve(new Response(null, { status, headers: { date } })));

  test.each([200, 301, 401, 403, 503])("is the date of any reply, status %d", async (status) => {
    expect(await dated("Mon, 12 Jan 2026 23:00:05 GMT", status)).toBe(Date.UTC(2026, 0, 12, 23, 0, 5) / 1000);
  });

  test.each([
    ["no answer", () => at(() => Promise.reject(new Error("down")))],
    ["no date", () => at(() => Promise.resolve(new Response()))],
    ["a date that is none", () => dated("yesterday")],
  ])("is not known: %s", async (_what, read) => {
    expect(await read()).toBeUndefined();
  });
});
