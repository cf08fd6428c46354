import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { describeConfiguration } from "../../../src/config/describe-configuration.ts";
import type { Environment } from "../../../src/config/environment-reader.ts";
import { readConfiguration } from "../../../src/config/read-configuration.ts";
import { VARIABLES } from "../../../src/config/variables.ts";
import { MINIMAL_ENVIRONMENT, VALKEY_ENVIRONMENT } from "../../support/environment.ts";

const SECRETS = [
  "JWT_JWKS_STATIC",
  "BUILDKITE_API_TOKEN",
  "GITHUB_APP_PRIVATE_KEY",
  "GITHUB_APPS",
  "VALKEY_PASSWORD",
  "OBSERVE_PYROSCOPE_BASIC_AUTH_PASSWORD",
];

describe("NAME_FILE", () => {
  test("works for every secret and for nothing else", () => {
    expect(VARIABLES.filter(({ secret }) => secret).map(({ name }) => name)).toEqual(SECRETS);
  });

  test.each(["bkua_file", "bkua_file\n", "\uFEFFbkua_file\r\n", "  bkua_file  \n\n"])(
    "tolerates a byte-order mark, CRLF and white space around the value: %j",
    (content) => {
      const result = read({ BUILDKITE_API_TOKEN: "", BUILDKITE_API_TOKEN_FILE: "token" }, () => content);
      expect(result.kind === "valid" && result.configuration.buildkite.apiToken.reveal()).toBe("bkua_file");
    },
  );

  test("gives a PEM with line feeds for a file with CRLF", () => {
    const result = read(
      { GITHUB_APP_PRIVATE_KEY_ARN: "", GITHUB_APP_PRIVATE_KEY_FILE: "key.pem" },
      () => "\uFEFF-----BEGIN\r\nabc\r\n-----END\r\n",
    );
    const key = result.kind === "valid" ? result.configuration.github.defaultApp.key : undefined;
    expect(key?.kind === "privateKey" && key.pem.reveal()).toBe("-----BEGIN\nabc\n-----END");
  });

  test("reads real files unless told otherwise", () => {
    const folder = mkdtempSync(join(tmpdir(), "config-"));
    try {
      const path = join(folder, "token");
      writeFileSync(path, "bkua_disk\n");
      const environment = { ...MINIMAL_ENVIRONMENT, BUILDKITE_API_TOKEN: "", BUILDKITE_API_TOKEN_FILE: path };
      const result = readConfiguration(environment);
      expect(result.kind === "valid" && result.configuration.buildkite.apiToken.reveal()).toBe("bkua_disk");
      expect(problemsOf(readConfiguration({ ...environment, BUILDKITE_API_TOKEN_FILE: join(folder, "none") }))).toEqual(
        [
          {
            variable: "BUILDKITE_API_TOKEN_FILE",
            problem: "names a file that cannot be read (ENOENT)",
            accepted: "the path of a readable file that holds the value",
          },
        ],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(SECRETS)("refuses %s beside its file", (name) => {
    const result = read({ ...VALKEY_ENVIRONMENT, [name]: "[]", [`${name}_FILE`]: "f" }, () => "[]");
    expect(problemsOf(result)).toEqual([
      { variable: name, problem: `is set, and ${name}_FILE is too`, accepted: "one of the two" },
    ]);
  });

  test.each(SECRETS)("refuses an empty file for %s", (name) => {
    const result = read({ ...VALKEY_ENVIRONMENT, [name]: "", [`${name}_FILE`]: "f" }, () => "\uFEFF \r\n");
    expect(problemsOf(result).map(({ variable, problem }) => [variable, problem])).toEqual([
      [`${name}_FILE`, "names an empty file"],
    ]);
  });

  test("counts an empty path as unset", () => {
    expect(read({ GITHUB_APPS_FILE: "" }).kind).toBe("valid");
  });
});

// A secret must not reach a screen or a log through any part of the result, wherever it was pasted.
describe("no part of the result shows a secret", () => {
  const CANARY = "canary-5f2b";

  test("that is set where it belongs", () => {
    const result = read({
      ...VALKEY_ENVIRONMENT,
      ...Object.fromEntries(SECRETS.map((name) => [name, CANARY])),
      GITHUB_APPS: `[{"name":"a","appId":1,"installationId":2,"privateKey":"${CANARY}"}]`,
    });
    expect(result.kind).toBe("valid");
    expectHidden(result, CANARY);
    if (result.kind === "valid") expectHidden(describeConfiguration(result), CANARY);
  });

  test.each(VARIABLES.map(({ name }) => name))("that was pasted into %s and is refused there", (name) => {
    const result = readConfiguration({ ...MINIMAL_ENVIRONMENT, ...VALKEY_ENVIRONMENT, [name]: `${CANARY}\n\u0000 /` });
    if (result.kind === "invalid") expectHidden(result, CANARY);
    else expect(["OBSERVE_OTEL_LOG_LEVEL", "GITHUB_APP_PRIVATE_KEY", "JWT_JWKS_STATIC"]).toContain(name);
  });

  test.each(SECRETS.map((name) => `${name}_FILE`))("that was pasted into %s in place of a path", (name) => {
    const secret = name.replace("_FILE", "");
    const result = readConfiguration({ ...MINIMAL_ENVIRONMENT, [secret]: "", [name]: CANARY });
    expect(result.kind).toBe("invalid");
    expectHidden(result, CANARY);
  });
});

describe("describeConfiguration()", () => {
  test("masks secrets, marks defaults and files, and tells whether profiles have a source", () => {
    const result = read(
      { SERVER_PORT: "9090", JWT_JWKS_STATIC_FILE: "jwks.json", GITHUB_ORG_PROFILE: "acme:policy:p.yaml" },
      () => "{}",
    );
    if (result.kind !== "valid") throw new Error("unexpected problems");
    const { profileSource, settings } = describeConfiguration(result);
    expect(profileSource).toBe("github");
    expect(settings).toMatchObject({
      SERVER_PORT: "9090",
      JWT_AUDIENCE: "app-token-issuer (default)",
      JWT_JWKS_STATIC: "[redacted] (from file)",
      BUILDKITE_API_TOKEN: "[redacted]",
      GITHUB_ORG_PROFILE: "acme:policy:p.yaml",
    });
    expect(settings).not.toHaveProperty("SERVER_HOST");
    expect(settings).not.toHaveProperty("VALKEY_PASSWORD");
  });
});

function read(beside: Environment, readFile?: (path: string) => string) {
  return readConfiguration({ ...MINIMAL_ENVIRONMENT, ...beside }, readFile === undefined ? {} : { readFile });
}

function problemsOf(result: ReturnType<typeof readConfiguration>) {
  return result.kind === "invalid" ? result.problems : [];
}

function expectHidden(value: unknown, canary: string): void {
  expect(inspect(value, { depth: 20, showHidden: true })).not.toContain(canary);
  expect(JSON.stringify(value)).not.toContain(canary);
}
