import { KMS } from "@aws-sdk/client-kms";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createAwsClients, type AwsClients } from "../../../src/aws/clients.ts";
import { createKmsKeyUnwrapper } from "../../../src/aws/kms-key-unwrapper.ts";
import { createSecretStore } from "../../../src/aws/secret-store.ts";
import type { KeyUnwrapper } from "../../../src/keyset/key-unwrapper.ts";
import type { SecretLookup, SecretStore } from "../../../src/keyset/secret-store.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator, type EmulatorName } from "../../support/emulators.ts";
import { rejection } from "../../support/rejection.ts";

const REGION = "us-east-1";
const STAGE = "pending";
const OPERATOR = { accessKeyId: "operator", secretAccessKey: "s" };

interface Aws {
  readonly emulator: Emulator;
  readonly environment: Disposable;
  readonly clients: AwsClients;
  readonly kms: KMS;
  readonly secrets: SecretsManager;
  readonly unwrapper: KeyUnwrapper;
  readonly store: SecretStore;
}

async function start(name: EmulatorName): Promise<Aws> {
  const emulator = await startEmulator(name);
  const environment = useAwsEnvironment({ AWS_ENDPOINT_URL: emulator.url, AWS_REGION: REGION });
  const clients = createAwsClients(async () => OPERATOR, systemClock);
  const operator = { region: REGION, credentials: OPERATOR, endpoint: emulator.url };
  return {
    emulator,
    environment,
    clients,
    kms: new KMS(operator),
    secrets: new SecretsManager(operator),
    unwrapper: createKmsKeyUnwrapper(clients),
    store: createSecretStore(clients),
  };
}

/** Undefined: it did not start, which has been told. */
async function stop(aws: Aws | undefined): Promise<void> {
  if (aws === undefined) return;
  const { emulator, environment, clients, kms, secrets } = aws;
  clients[Symbol.dispose]();
  kms.destroy();
  secrets.destroy();
  environment[Symbol.dispose]();
  await emulator[Symbol.asyncDispose]();
}

describe("KMS and Secrets Manager of moto", () => {
  let aws: Aws;
  beforeAll(async () => {
    aws = await start("moto");
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => stop(aws));

  test("what is encrypted under an alias ARN decrypts under it, 4,096 bytes at most", async () => {
    const alias = await createAlias(aws, "keyset");
    const plaintext = crypto.getRandomValues(new Uint8Array(4096));
    const sealed = await aws.unwrapper.encrypt(alias, plaintext);
    expect(Buffer.from(await aws.unwrapper.decrypt(alias, sealed))).toEqual(Buffer.from(plaintext));
    expect(await rejection(aws.unwrapper.encrypt(alias, new Uint8Array(4097)))).toMatchObject({
      code: "upstream-refused",
      details: { upstream: "kms", status: 400 },
    });
  });

  test("a changed ciphertext and another key are refusals", async () => {
    const [mine, other] = [await createAlias(aws, "mine"), await createAlias(aws, "other")];
    const sealed = await aws.unwrapper.encrypt(mine, new Uint8Array(32));
    const changed = Uint8Array.from(sealed);
    changed[changed.length - 1]! ^= 1;
    for (const [alias, ciphertext] of [
      [mine, changed],
      [other, sealed],
      [mine, new Uint8Array(64)],
    ] as const) {
      expect((await rejection(aws.unwrapper.decrypt(alias, ciphertext))).code).toBe("upstream-refused");
    }
  });

  test("no secret, a secret without a value, and one with: by name, ARN and ARN without its suffix", async () => {
    expect(await aws.store.getCurrent("nobody")).toEqual({ kind: "not-found" });
    await aws.secrets.createSecret({ Name: "empty" });
    expect(await aws.store.getCurrent("empty")).toEqual({ kind: "no-value" });

    const { ARN = "", VersionId } = await aws.secrets.createSecret({ Name: "/app/keyset", SecretString: "text" });
    for (const id of ["/app/keyset", ARN, ARN.slice(0, -7)]) {
      expect(await aws.store.getCurrent(id)).toMatchObject({
        kind: "found",
        arn: ARN,
        versionId: VersionId,
        value: "text",
      });
    }
    const found = requireFound(await aws.store.getCurrent(ARN));
    expect(Math.abs(found.createdAtEpochMs - Date.now())).toBeLessThan(120_000);
  });

  test("a staged version changes nothing until AWSCURRENT moves; the old one stays as AWSPREVIOUS", async () => {
    const first = await createSecret(aws, "staged", "one");
    const next = { secretId: "staged", versionId: crypto.randomUUID(), stage: STAGE, value: "two" };
    await aws.store.putStaged(next);
    await aws.store.putStaged(next);
    expect(requireFound(await aws.store.getCurrent("staged")).versionId).toBe(first);
    expect(await rejection(aws.store.putStaged({ ...next, value: "other" }))).toMatchObject({
      code: "upstream-refused",
    });

    const move = { secretId: "staged", toVersionId: next.versionId, fromVersionId: first };
    expect(await aws.store.moveCurrent(move)).toBe("moved");
    expect(await aws.store.getCurrent("staged")).toMatchObject({ versionId: next.versionId, value: "two" });
    const previous = await aws.secrets.getSecretValue({ SecretId: "staged", VersionStage: "AWSPREVIOUS" });
    expect(previous.SecretString).toBe("one");
  });

  test("a move from a version that is not current, or from none, is a conflict and changes nothing", async () => {
    const first = await createSecret(aws, "contended", "one");
    const toVersionId = crypto.randomUUID();
    await aws.store.putStaged({ secretId: "contended", versionId: toVersionId, stage: STAGE, value: "two" });
    const stale = { secretId: "contended", toVersionId, fromVersionId: crypto.randomUUID() };
    expect(await aws.store.moveCurrent(stale)).toBe("conflict");
    expect(await aws.store.moveCurrent({ secretId: "contended", toVersionId })).toBe("conflict");
    expect(requireFound(await aws.store.getCurrent("contended")).versionId).toBe(first);
  });

  test("of twenty writers who start from one version, one wins", async () => {
    const first = await createSecret(aws, "raced", "one");
    expect(await race(aws, "raced", first)).toEqual({ moved: 1, conflict: 19, currentIsTheWinners: true });
  }, 60_000);
});

describe("Secrets Manager of MiniStack", () => {
  let aws: Aws;
  beforeAll(async () => {
    aws = await start("ministack");
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => stop(aws));

  test("no secret, and one that is found by name and ARN", async () => {
    expect(await aws.store.getCurrent("nobody")).toEqual({ kind: "not-found" });
    const { ARN = "" } = await aws.secrets.createSecret({ Name: "/app/keyset", SecretString: "text" });
    for (const id of ["/app/keyset", ARN]) {
      expect(await aws.store.getCurrent(id)).toMatchObject({ kind: "found", arn: ARN, value: "text" });
    }
  });

  test("of twenty writers who start from one version, one wins", async () => {
    const first = await createSecret(aws, "raced", "one");
    expect(await race(aws, "raced", first)).toEqual({ moved: 1, conflict: 19, currentIsTheWinners: true });
  });

  // Where AWS and moto have no version at all, MiniStack has an empty one, which is current.
  test("an empty value is told as such, and can be replaced", async () => {
    await aws.secrets.createSecret({ Name: "fresh" });
    const empty = requireFound(await aws.store.getCurrent("fresh"));
    expect(empty.value).toBe("");
    const versionId = crypto.randomUUID();
    await aws.store.putStaged({ secretId: "fresh", versionId, stage: STAGE, value: "one" });
    const move = { secretId: "fresh", toVersionId: versionId, fromVersionId: empty.versionId };
    expect(await aws.store.moveCurrent(move)).toBe("moved");
    expect(await aws.store.getCurrent("fresh")).toMatchObject({ versionId, value: "one" });
  });
});

async function race({ store }: Aws, secretId: string, fromVersionId: string) {
  const writers = Array.from({ length: 20 }, async (_, writer) => {
    const versionId = crypto.randomUUID();
    await store.putStaged({ secretId, versionId, stage: STAGE, value: `writer ${writer}` });
    return { versionId, outcome: await store.moveCurrent({ secretId, toVersionId: versionId, fromVersionId }) };
  });
  const results = await Promise.all(writers);
  const current = requireFound(await store.getCurrent(secretId)).versionId;
  const moved = results.filter(({ outcome }) => outcome === "moved");
  return {
    moved: moved.length,
    conflict: results.length - moved.length,
    currentIsTheWinners: moved[0]?.versionId === current,
  };
}

async function createAlias({ kms }: Aws, name: string): Promise<string> {
  const { KeyMetadata } = await kms.createKey({});
  await kms.createAlias({ AliasName: `alias/${name}`, TargetKeyId: KeyMetadata?.KeyId });
  return `${KeyMetadata?.Arn?.split(":key/")[0]}:alias/${name}`;
}

async function createSecret({ secrets }: Aws, name: string, value: string): Promise<string> {
  return (await secrets.createSecret({ Name: name, SecretString: value })).VersionId ?? "";
}

function requireFound(lookup: SecretLookup): Extract<SecretLookup, { kind: "found" }> {
  if (lookup.kind !== "found") throw new Error(`the secret is ${lookup.kind}`);
  return lookup;
}
