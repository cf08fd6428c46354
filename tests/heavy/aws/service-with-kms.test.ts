import { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPublicKey } from "node:crypto";
import { startSimulator, type Simulator } from "../../../src/simulator/simulator.ts";
import { startBridge } from "../../support/bridge.ts";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator } from "../../support/emulators.ts";

/** MiniStack signs digests rightly. The simulated GitHub has the key's public half, and really verifies the App JWT. */
describe("the service, with the App's key in KMS", () => {
  const credentials = { accessKeyId: "task", secretAccessKey: "s" };
  let emulator: Emulator;
  let simulator: Simulator;
  let kms: KMS;
  let keyArn: string;
  let aliasArn: string;

  beforeAll(async () => {
    emulator = await startEmulator("ministack");
    kms = new KMS({ region: "us-east-1", endpoint: emulator.url, credentials });
    const { KeyMetadata } = await kms.createKey({ KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
    keyArn = KeyMetadata?.Arn ?? "";
    await kms.createAlias({ AliasName: "alias/chinmina-signing", TargetKeyId: keyArn });
    aliasArn = keyArn.replace(/:key\/.*$/, ":alias/chinmina-signing");
    const { PublicKey } = await kms.getPublicKey({ KeyId: keyArn });
    const publicKey = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
    simulator = await startSimulator();
    const app = simulator.world.github.apps.find(({ id }) => id === 111);
    app?.keys.splice(0, app.keys.length, { ...simulator.oidc.currentKey(), publicKey });
  }, INSTALL_TIMEOUT_MS);
  afterAll(async () => {
    await simulator[Symbol.asyncDispose]();
    await emulator[Symbol.asyncDispose]();
  });

  const environment = (arn: string, endpoint = emulator.url): Record<string, string> => {
    const { GITHUB_APP_PRIVATE_KEY: _1, GITHUB_ORG_PROFILE: _2, ...rest } = simulator.environment();
    return {
      ...rest,
      GITHUB_APP_PRIVATE_KEY_ARN: arn,
      AWS_ENDPOINT_URL_KMS: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
  };
  const ask = (url: string) =>
    fetch(`${url}/token`, { method: "POST", headers: { authorization: `Bearer ${simulator.oidc.issueToken()}` } });

  test.each([
    ["a key's ARN", () => keyArn],
    ["an alias's ARN", () => aliasArn],
  ])(
    "vends by %s, and the PEM key is nowhere",
    async (_what, arn) => {
      await using bridge = await startBridge(environment(arn()), { form: "binary" });
      const response = await ask(bridge.url);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ profile: "repo:default", repositories: { names: ["widget"] } });
      expect(bridge.output()).not.toContain("PRIVATE KEY");
    },
    30_000,
  );

  test("while KMS cannot be reached: 503 with Retry-After, and the audit entry says why", async () => {
    await using bridge = await startBridge(environment(keyArn, "http://127.0.0.1:1"), { form: "binary" });
    const response = await ask(bridge.url);
    expect({ status: response.status, retryAfter: response.headers.get("retry-after") }).toEqual({
      status: 503,
      retryAfter: "5",
    });
    expect(bridge.audit[0]?.["error"]).toContain("kms: sign App JWT");
  }, 30_000);

  test("a disabled key is refused without being named", async () => {
    const { KeyMetadata } = await kms.createKey({ KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
    const arn = KeyMetadata?.Arn ?? "";
    await kms.disableKey({ KeyId: arn });
    await using bridge = await startBridge(environment(arn), { form: "binary" });
    const response = await ask(bridge.url);
    expect(response.status).toBeGreaterThanOrEqual(500);
    expect(bridge.audit[0]?.["error"]).toContain("Disabled");
    expect(JSON.stringify(bridge.audit)).not.toContain(arn);
  }, 30_000);
});
