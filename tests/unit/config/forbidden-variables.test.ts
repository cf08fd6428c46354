import { describe, expect, test } from "bun:test";
import { findForbiddenVariables } from "../../../src/config/forbidden-variables.ts";

describe("findForbiddenVariables()", () => {
  test.each([
    ["BUN_OPTIONS", "--preload ./x.ts"],
    ["BUN_INSPECT", "ws://localhost:1"],
    ["BUN_INSPECT_CONNECT_TO", "x"],
    ["BUN_INSPECT_PRELOAD", "x"],
    ["BUN_CONFIG_VERBOSE_FETCH", "curl"],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "0"],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "false"],
    ["SSLKEYLOGFILE", "keys"],
  ])("finds %s=%s", (name, value) => {
    expect(findForbiddenVariables({ PATH: "/bin", [name]: value })).toEqual([name]);
  });

  test.each([
    ["BUN_OPTIONS", ""],
    ["BUN_INSPECT", undefined],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "1"],
    ["BUN_JSC_forceRAMSize", "100663296"],
    ["NODE_EXTRA_CA_CERTS", "ca.pem"],
    ["HTTPS_PROXY", "http://proxy"],
  ])("lets %s=%s be", (name, value) => {
    expect(findForbiddenVariables({ [name]: value })).toEqual([]);
  });

  test("names all of them, in order", () => {
    expect(findForbiddenVariables({ SSLKEYLOGFILE: "k", BUN_OPTIONS: "x", BUN_INSPECT: "y" })).toEqual([
      "BUN_INSPECT",
      "BUN_OPTIONS",
      "SSLKEYLOGFILE",
    ]);
  });
});
