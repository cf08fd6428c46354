import { describe, expect, test } from "bun:test";
import type { Environment } from "../../../src/config/environment-reader.ts";
import { readConfiguration } from "../../../src/config/read-configuration.ts";
import { findUnknownVariables } from "../../../src/config/unknown-variables.ts";
import { KNOWN_NAMES } from "../../../src/config/variables.ts";
import { MINIMAL_ENVIRONMENT, VALKEY_ENVIRONMENT } from "../../support/environment.ts";

/** Nothing about it is dangerous. */
const CALM = { ...MINIMAL_ENVIRONMENT, JWT_AUDIENCE: "chinmina:acme", JWT_BUILDKITE_ORGANIZATION_ID: "0184" };
const KEYSET_FILE = { CACHE_ENCRYPTION_ENABLED: "true", CACHE_ENCRYPTION_KEYSET_FILE: "keyset.json" };
const IAM = { VALKEY_IAM_ENABLED: "true", VALKEY_USERNAME: "u", VALKEY_IAM_CACHE_NAME: "c" };
const PEM_ENTRY = '[{"name":"a","appId":1,"installationId":2,"privateKey":"x"}]';

describe("readConfiguration() warns of", () => {
  test("nothing in a calm environment", () => {
    expect(warningsOf({})).toEqual([]);
  });

  const dangers: readonly [what: string, beside: Environment, variables: readonly string[]][] = [
    ["the default audience", { JWT_AUDIENCE: "" }, ["JWT_AUDIENCE"]],
    ["the default audience when it is spelt out", { JWT_AUDIENCE: "app-token-issuer" }, ["JWT_AUDIENCE"]],
    ["no organization id", { JWT_BUILDKITE_ORGANIZATION_ID: "" }, ["JWT_BUILDKITE_ORGANIZATION_ID"]],
    ["Valkey without encryption", VALKEY_ENVIRONMENT, ["CACHE_ENCRYPTION_ENABLED"]],
    ["a keyset file", { ...VALKEY_ENVIRONMENT, ...KEYSET_FILE }, ["CACHE_ENCRYPTION_KEYSET_FILE"]],
    [
      "VALKEY_TLS=false off loopback",
      { ...VALKEY_ENVIRONMENT, ...KEYSET_FILE, VALKEY_TLS: "false" },
      ["CACHE_ENCRYPTION_KEYSET_FILE", "VALKEY_TLS"],
    ],
    [
      "no TLS on loopback, which is not dangerous",
      { ...VALKEY_ENVIRONMENT, ...KEYSET_FILE, VALKEY_TLS: "false", VALKEY_ADDRESS: "[::1]:6379" },
      ["CACHE_ENCRYPTION_KEYSET_FILE"],
    ],
    [
      "VALKEY_TLS=false when IAM forces TLS on",
      { ...VALKEY_ENVIRONMENT, ...IAM, VALKEY_TLS: "false" },
      ["VALKEY_TLS", "CACHE_ENCRYPTION_ENABLED"],
    ],
    ["a PEM key", { GITHUB_APP_PRIVATE_KEY_ARN: "", GITHUB_APP_PRIVATE_KEY: "x" }, ["GITHUB_APP_PRIVATE_KEY"]],
    ["a PEM key that loses to an ARN", { GITHUB_APP_PRIVATE_KEY: "x" }, ["GITHUB_APP_PRIVATE_KEY"]],
    ["a PEM key among other Apps", { GITHUB_APPS: PEM_ENTRY }, ["GITHUB_APPS"]],
    ["the disclosing of App ids", { DEV_DISCLOSE_APP_IDENTIFIERS: "true" }, ["DEV_DISCLOSE_APP_IDENTIFIERS"]],
    ["write access to the policy", { PROFILE_ALLOW_SELF_WRITE: "true" }, ["PROFILE_ALLOW_SELF_WRITE"]],
    [
      "profiles for Pyroscope, which are not sent",
      { OBSERVE_PYROSCOPE_ENABLED: "true", OBSERVE_PYROSCOPE_SERVER_ADDRESS: "https://p.example" },
      ["OBSERVE_PYROSCOPE_ENABLED"],
    ],
    ["settings that nothing uses", { VALKEY_ADDRESS: "cache:6379" }, ["CACHE_TYPE"]],
    ["a misspelt variable", { SERVER_PROT: "80" }, ["SERVER_PROT"]],
  ];

  test.each(dangers)("%s", (_, beside, variables) => {
    expect(warningsOf(beside).map(({ variable }) => variable)).toEqual([...variables]);
  });

  test("misspelt variables also when the configuration is invalid", () => {
    expect(readConfiguration({ JWT_BUILDKITE_ORGANISATION_SLUG: "acme" }).warnings).toEqual([
      {
        variable: "JWT_BUILDKITE_ORGANISATION_SLUG",
        warning: "is unknown and ignored; did you mean JWT_BUILDKITE_ORGANIZATION_SLUG?",
      },
    ]);
  });
});

test("IAM authentication has TLS on, whatever VALKEY_TLS says", () => {
  const result = readConfiguration({ ...CALM, ...VALKEY_ENVIRONMENT, ...IAM, VALKEY_TLS: "false" });
  expect(result.kind === "valid" && result.configuration.cache.valkey?.tls).toEqual({ enabled: true });
});

describe("findUnknownVariables()", () => {
  test.each([
    ["SERVER_PORTS", "SERVER_PORT"],
    ["server_port", "SERVER_PORT"],
    ["CACHE_TOKEN_TTL", "CACHE_TOKEN_TTL_SECS"],
    ["VALKEY_ADDR", "VALKEY_ADDRESS"],
    ["VALKEY_ADRESS", "VALKEY_ADDRESS"],
    ["GITHUB_APP_PRIVATEKEY", "GITHUB_APP_PRIVATE_KEY"],
    ["GITHUB_APP_INSTALATION_ID", "GITHUB_APP_INSTALLATION_ID"],
    ["BUILDKITE_API_TOKEN_FIEL", "BUILDKITE_API_TOKEN_FILE"],
    ["OBSERVE_ENABLE", "OBSERVE_ENABLED"],
    ["PROFILE_FILES", "PROFILE_FILE"],
    ["SERVER_PORT_FILE", "SERVER_PORT"],
  ])("takes %s for a slip of %s", (name, known) => {
    expect(findUnknownVariables({ [name]: "x" })).toEqual([
      { variable: name, warning: `is unknown and ignored; did you mean ${known}?` },
    ]);
  });

  test.each([
    "GITHUB_ACTIONS",
    "GITHUB_REPOSITORY",
    "GITHUB_SHA",
    "GITHUB_REF",
    "GITHUB_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "BUILDKITE_BRANCH",
    "BUILDKITE_BUILD_NUMBER",
    "VALKEY_SERVICE_HOST",
    "PATH",
    "SERVERPORT",
    ...KNOWN_NAMES,
  ])("lets %s be", (name) => {
    expect(findUnknownVariables({ [name]: "x" })).toEqual([]);
  });
});

function warningsOf(beside: Environment) {
  return readConfiguration({ ...CALM, ...beside }).warnings;
}
