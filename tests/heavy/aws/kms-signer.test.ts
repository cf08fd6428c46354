import { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { createAwsClients } from "../../../src/aws/clients.ts";
import { createCredentialSource, type CredentialState } from "../../../src/aws/credentials.ts";
import { loadDefaultCredentials } from "../../../src/aws/default-credentials.ts";
import { createKmsKeyUnwrapper } from "../../../src/aws/kms-key-unwrapper.ts";
import { createKmsSigner } from "../../../src/aws/kms-signer.ts";
import { createAppJwtSource } from "../../../src/github/app-jwt.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { startEcsCredentials, type EcsCredentials } from "../../../src/simulator/ecs-credentials.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator } from "../../support/emulators.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { startRecordingProxy, type RecordingProxy } from "../../support/recording-proxy.ts";
import { rejection } from "../../support/rejection.ts";

const REGION = "eu-west-1";
const ALIAS = `arn:aws:kms:${REGION}:000000000000:alias/Chinmina_App`;
const MESSAGE = new TextEncoder().encode("message");

describe("signing with a key of MiniStack's KMS", () => {
  let emulator: Emulator;
  let proxy: RecordingProxy;
  let ecs: EcsCredentials;
  let kms: KMS;
  const resources = new AsyncDisposableStack();
  beforeAll(async () => {
    emulator = resources.use(await startEmulator("ministack"));
    proxy = resources.use(startRecordingProxy(emulator.url));
    ecs = resources.use(startEcsCredentials());
    resources.use(useAwsEnvironment({ AWS_ENDPOINT_URL_KMS: proxy.url, ...ecs.environment }));
    const credentials = { accessKeyId: "operator", secretAccessKey: "s" };
    kms = resources.adopt(new KMS({ region: REGION, credentials, endpoint: emulator.url }), (made) => made.destroy());
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => resources.disposeAsync());

  test("an App JWT signed by key ARN verifies under that key", async () => {
    const key = await createSigningKey();
    await using aws = startAws();
    const jwt = await createAppJwtSource(
      { name: "default", appId: 111, installationId: 222, signer: createKmsSigner(aws.clients, key.arn) },
      systemClock,
    ).current();
    expect(verifies(jwt, key.publicKey)).toBe(true);
    expect(JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString())).toMatchObject({ iss: "111" });
  });

  test.each(["RSA_2048", "RSA_3072", "RSA_4096"] as const)(
    "%s keys sign",
    async (spec) => {
      const key = await createSigningKey(spec);
      await using aws = startAws();
      const signature = await createKmsSigner(aws.clients, key.arn).sign(MESSAGE);
      expect(verify("RSA-SHA256", MESSAGE, key.publicKey, signature)).toBe(true);
    },
    60_000,
  );

  test("an alias ARN reaches KMS as written, signed with the task's credentials; moving the alias rotates the key", async () => {
    const [before, after] = [await createSigningKey(), await createSigningKey()];
    await kms.createAlias({ AliasName: "alias/Chinmina_App", TargetKeyId: before.arn });
    await using aws = startAws();
    const signer = createKmsSigner(aws.clients, ALIAS);
    const first = await signer.sign(MESSAGE);
    expect(verify("RSA-SHA256", MESSAGE, before.publicKey, first)).toBe(true);

    const request = proxy.requests.at(-1);
    expect(JSON.parse(request?.body ?? "")).toMatchObject({ KeyId: ALIAS, MessageType: "DIGEST" });
    expect(request?.headers.get("x-amz-target")).toBe("TrentService.Sign");
    const { accessKeyId, sessionToken } = await aws.credentials.current();
    expect(request?.headers.get("authorization")).toContain(`Credential=${accessKeyId}/`);
    expect(request?.headers.get("x-amz-security-token")).toBe(sessionToken ?? null);

    await kms.updateAlias({ AliasName: "alias/Chinmina_App", TargetKeyId: after.arn });
    const second = await signer.sign(MESSAGE);
    expect(verify("RSA-SHA256", MESSAGE, after.publicKey, second)).toBe(true);
  });

  test("a disabled key, a missing one and one that cannot sign are refusals that name no key", async () => {
    const disabled = await createSigningKey();
    await kms.disableKey({ KeyId: disabled.arn });
    const symmetric = (await kms.createKey({})).KeyMetadata?.Arn ?? "";
    const missing = `arn:aws:kms:${REGION}:000000000000:alias/nobody`;
    await using aws = startAws();
    const messages: string[] = [];
    for (const arn of [disabled.arn, symmetric, missing]) {
      const fault = await rejection(createKmsSigner(aws.clients, arn).sign(MESSAGE));
      expect(fault.code).toBe("upstream-refused");
      messages.push(fault.message.replace(/ \(.*/, ""));
    }
    expect(messages).toEqual([
      "kms: sign App JWT: DisabledException",
      "kms: sign App JWT: UnsupportedOperationException",
      "kms: sign App JWT: NotFoundException",
    ]);
    await kms.enableKey({ KeyId: disabled.arn });
    expect(await createKmsSigner(aws.clients, disabled.arn).sign(MESSAGE)).toHaveLength(256);
  });

  test("a disabled key decrypts nothing", async () => {
    const arn = (await kms.createKey({})).KeyMetadata?.Arn ?? "";
    await using aws = startAws();
    const unwrapper = createKmsKeyUnwrapper(aws.clients);
    const sealed = await unwrapper.encrypt(arn, MESSAGE);
    await kms.disableKey({ KeyId: arn });
    expect((await rejection(unwrapper.decrypt(arn, sealed))).message).toStartWith("kms: decrypt: DisabledException");
    await kms.enableKey({ KeyId: arn });
    expect(Buffer.from(await unwrapper.decrypt(arn, sealed))).toEqual(Buffer.from(MESSAGE));
  });

  // The SDK looks at the real time for the last five minutes, so the fixed clock starts there.
  test("when the credentials' endpoint fails in their last five minutes, signing goes on until they expire, and comes back", async () => {
    const key = await createSigningKey();
    const clock = createFixedClock(Date.now());
    await using task = startEcsCredentials({ clock, lifetimeSeconds: 240 });
    using _ = useAwsEnvironment({ AWS_ENDPOINT_URL_KMS: emulator.url, ...task.environment });
    const states: CredentialState["kind"][] = [];
    const observe = ({ kind }: CredentialState): void => void states.push(kind);
    using credentials = createCredentialSource({ load: loadDefaultCredentials, clock, random: () => 0.5, observe });
    using clients = createAwsClients(credentials.current, clock);
    const signer = createKmsSigner(clients, key.arn);
    await signer.sign(MESSAGE);

    task.behaviour = "fail";
    // The clock moves only while nothing is under way: a load's deadline is on this clock, its exchange takes real time.
    for (let second = 1; second < 240; second += 1) {
      clock.advance(1000);
      await signer.sign(MESSAGE);
    }
    expect(states).toEqual(["stale"]);
    clock.advance(1000);
    const refused = rejection(signer.sign(MESSAGE));
    while (Bun.peek.status(refused) === "pending") await clock.advanceAndSettle(10);
    expect(await refused).toMatchObject({ code: "upstream-unavailable", details: { upstream: "aws-credentials" } });

    task.behaviour = "serve";
    while (states.at(-1) !== "working") await clock.advanceAndSettle(100);
    await signer.sign(MESSAGE);
    expect(states).toEqual(["stale", "missing", "working"]);
  }, 60_000);

  test("all clients share one fetch of the credentials", async () => {
    const key = await createSigningKey();
    const symmetric = (await kms.createKey({})).KeyMetadata?.Arn ?? "";
    ecs.journal.clear();
    await using aws = startAws();
    await Promise.all([
      createKmsSigner(aws.clients, key.arn).sign(MESSAGE),
      createKmsSigner(aws.clients, key.arn).sign(MESSAGE),
      createKmsKeyUnwrapper(aws.clients).encrypt(symmetric, MESSAGE),
    ]);
    expect(ecs.journal.entries()).toHaveLength(1);
  });

  function startAws() {
    const load = loadDefaultCredentials;
    const observe = (): void => undefined;
    const credentials = createCredentialSource({ load, clock: systemClock, random: Math.random, observe });
    const clients = createAwsClients(credentials.current, systemClock);
    return {
      credentials,
      clients,
      [Symbol.asyncDispose]: async () => {
        clients[Symbol.dispose]();
        credentials[Symbol.dispose]();
      },
    };
  }

  async function createSigningKey(
    spec: "RSA_2048" | "RSA_3072" | "RSA_4096" = "RSA_2048",
  ): Promise<{ arn: string; publicKey: KeyObject }> {
    const { KeyMetadata } = await kms.createKey({ KeySpec: spec, KeyUsage: "SIGN_VERIFY" });
    const arn = KeyMetadata?.Arn ?? "";
    const { PublicKey } = await kms.getPublicKey({ KeyId: arn });
    const publicKey = createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
    return { arn, publicKey };
  }
});

function verifies(jwt: string, key: KeyObject): boolean {
  const at = jwt.lastIndexOf(".");
  return verify("RSA-SHA256", Buffer.from(jwt.slice(0, at)), key, Buffer.from(jwt.slice(at + 1), "base64url"));
}
