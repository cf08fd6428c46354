import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { captureOutput, runCaptured } from "../../support/command-io.ts";
import { MINIMAL_ENVIRONMENT } from "../../support/environment.ts";

const CALM = { ...MINIMAL_ENVIRONMENT, JWT_AUDIENCE: "chinmina:acme", JWT_BUILDKITE_ORGANIZATION_ID: "0184" };
const BROKEN = { ...CALM, SERVER_PORT: "x", JWT_AUDIENCE: "" };

describe("config check", () => {
  test("tells problems and warnings as one JSON document, exit 1", async () => {
    const { code, out, err } = await runCaptured(["config", "check", "--format", "json"], {
      environment: { ...CALM, SERVER_PORT: "x", SERVER_PROT: "1" },
    });
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(JSON.parse(out)).toEqual({
      valid: false,
      problems: [
        {
          variable: "SERVER_PORT",
          problem: "is not a whole number",
          accepted: "a whole number from 0 to 65535",
        },
      ],
      warnings: [{ variable: "SERVER_PROT", warning: "is unknown and ignored; did you mean SERVER_PORT?" }],
    });
  });

  test("is exit 0 for warnings alone", async () => {
    const environment = { ...CALM, JWT_AUDIENCE: "" };
    const { code, out } = await runCaptured(["config", "check", "--format", "json"], { environment });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ valid: true, problems: [], warnings: [{ variable: "JWT_AUDIENCE" }] });
  });

  test("tells people that all is well", async () => {
    expect(await runCaptured(["config", "check"], { environment: CALM })).toEqual({
      code: 0,
      out: "The configuration is valid.\n",
      err: "",
    });
  });

  test("writes a line a finding when piped", async () => {
    const { out } = await runCaptured(["config", "check"], { environment: BROKEN });
    expect(out).toBe("error\tSERVER_PORT\tis not a whole number; accepted: a whole number from 0 to 65535\n");
  });

  test("writes a table on a terminal, in colour where that is wanted", async () => {
    const plain = await runCaptured(["config", "check"], { environment: BROKEN, out: captureOutput("plain terminal") });
    expect(plain.out).toBe(
      "       VARIABLE     FINDING\nerror  SERVER_PORT  is not a whole number; accepted: a whole number from 0 to 65535\n",
    );
    const coloured = await runCaptured(["config", "check"], { environment: BROKEN, out: captureOutput("terminal") });
    expect(coloured.out).toContain("\u001B[31merror\u001B[0m");
    expect(Bun.stripANSI(coloured.out)).toBe(plain.out);
  });

  test("finds a private key that cannot sign, and does not show it", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    for (const pem of ["canary", privateKey.export({ type: "pkcs8", format: "pem" })]) {
      const environment = { ...CALM, GITHUB_APP_PRIVATE_KEY_ARN: "", GITHUB_APP_PRIVATE_KEY: pem };
      const { code, out } = await runCaptured(["config", "check", "--format", "json"], { environment });
      expect(code).toBe(1);
      expect(JSON.parse(out).problems).toMatchObject([{ variable: "GITHUB_APP_PRIVATE_KEY" }]);
      expect(out).not.toContain(pem.split("\n")[1] ?? pem);
    }
  });

  test("finds a static key set that is none", async () => {
    const environment = { ...CALM, JWT_JWKS_STATIC: "canary" };
    const { code, out } = await runCaptured(["config", "check", "--format", "json"], { environment });
    expect(code).toBe(1);
    expect(JSON.parse(out).problems).toMatchObject([{ variable: "JWT_JWKS_STATIC" }]);
    expect(out).not.toContain("canary");
  });
});
