import { KMS } from "@aws-sdk/client-kms";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "../../src/lib/random.ts";
import { createKeyset } from "../../src/tink/edit-keyset.ts";
import { writeEncryptedKeyset } from "../../src/tink/encrypted-keyset.ts";
import { findTemplate } from "../../src/tink/key-templates.ts";
import { writeKeysetBinary } from "../../src/tink/keyset-binary.ts";
import { presentField } from "../../src/tink/wire-writer.ts";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator } from "../support/emulators.ts";
import { BINARY, runProgram } from "../support/program.ts";

/** The command from the binary against moto, which is right about Encrypt, Decrypt, empty secrets and compare-and-swap. */
describe("keyset, in Secrets Manager under a KMS key", () => {
  const credentials = { accessKeyId: "operator", secretAccessKey: "s" };
  let emulator: Emulator;
  let kms: KMS;
  let secrets: SecretsManager;
  let made = 0;

  beforeAll(async () => {
    emulator = await startEmulator("moto");
    const settings = { region: "us-east-1", endpoint: emulator.url, credentials };
    kms = new KMS(settings);
    secrets = new SecretsManager(settings);
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => emulator[Symbol.asyncDispose]());

  async function newKey(): Promise<string> {
    const { KeyMetadata } = await kms.createKey({});
    return KeyMetadata?.Arn ?? "";
  }

  async function place() {
    const name = `/chinmina-bridge/test-${++made}/tink-keyset`;
    await secrets.createSecret({ Name: name });
    const environment = (kmsKeyArn: string, secret = name): Record<string, string> => ({
      AWS_ENDPOINT_URL: emulator.url,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      CACHE_ENCRYPTION_KEYSET_URI: `aws-secretsmanager://${secret}`,
      CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: `aws-kms://${kmsKeyArn}`,
    });
    return { name, environment };
  }

  const keyset = (environment: Record<string, string>, ...argv: string[]) =>
    runProgram([BINARY], ["keyset", ...argv], { environment });
  const json = async (environment: Record<string, string>, ...argv: string[]) =>
    JSON.parse((await keyset(environment, ...argv, "--format", "json")).out);

  test("create, list, rotate through its three stages, verify; the previous version stays", async () => {
    const { name, environment } = await place();
    const here = environment(await newKey());
    expect(await keyset(here, "create")).toMatchObject({ code: 0, err: "" });
    for (const stage of ["added", "promoted", "settled"]) {
      expect(await json(here, "rotate", "--now")).toMatchObject({ written: true, is: stage });
    }
    expect(await keyset(here, "verify")).toMatchObject({ code: 0, err: "" });
    expect((await json(here, "list")).keys.map((key: any) => key.status)).toEqual(["DISABLED", "ENABLED"]);
    const previous = await secrets.getSecretValue({ SecretId: name, VersionStage: "AWSPREVIOUS" });
    expect(JSON.parse(previous.SecretString ?? "")).toHaveProperty("encryptedKeyset");
  }, 60_000);

  test("the documented spelling without a leading slash finds the secret that has one", async () => {
    const { name, environment } = await place();
    const kmsKeyArn = await newKey();
    await keyset(environment(kmsKeyArn), "create");
    expect(await keyset(environment(kmsKeyArn, name.slice(1)), "verify")).toMatchObject({ code: 0 });
  }, 60_000);

  test("convert re-encrypts under another key: the new one verifies, the old one no longer does", async () => {
    const { environment } = await place();
    const [before, after] = [await newKey(), await newKey()];
    await keyset(environment(before), "create");
    expect(await keyset(environment(before), "convert", "--to", `aws-kms://${after}`)).toMatchObject({ code: 0 });
    expect(await keyset(environment(after), "verify")).toMatchObject({ code: 0 });
    const refused = await keyset(environment(before), "verify");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("step kms");
  }, 60_000);

  test("import takes over an encrypted keyset in JSON and in binary, and a clear one with the advice to remove it", async () => {
    const kmsKeyArn = await newKey();
    const from = createKeyset(findTemplate("AES128_GCM"), systemRandom);
    const plaintext = writeKeysetBinary(from);
    const { CiphertextBlob = new Uint8Array() } = await kms.encrypt({ KeyId: kmsKeyArn, Plaintext: plaintext });
    using folder = temporaryFolder();
    const documents = {
      "encrypted.json": writeEncryptedKeyset(CiphertextBlob, from),
      "encrypted.bin": presentField(2, CiphertextBlob),
      "clear.bin": plaintext,
    };
    for (const [name, document] of Object.entries(documents)) {
      const { environment } = await place();
      const path = join(folder.path, name);
      await Bun.write(path, document);
      const { code, err } = await keyset(environment(kmsKeyArn), "import", path);
      expect({ name, code, warned: err.includes("remove it") }).toEqual({
        name,
        code: 0,
        warned: name === "clear.bin",
      });
      expect((await json(environment(kmsKeyArn), "list")).primaryKeyId).toBe(from.primaryKeyId);
      expect(await keyset(environment(kmsKeyArn), "verify")).toMatchObject({ code: 0 });
    }
  }, 60_000);

  test("ten concurrent operators: every successful command's change is in the keyset", async () => {
    const { environment } = await place();
    const here = environment(await newKey());
    await keyset(here, "create");
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => keyset(here, "add-key", "--format", "json")));
    const added = outcomes.filter(({ code }) => code === 0).map(({ out }) => JSON.parse(out).keyId);
    console.log(`ten concurrent operators: ${added.length} commands succeeded`);
    expect(added.length).toBeGreaterThan(1);
    const ids = (await json(here, "list")).keys.map((key: any) => key.keyId);
    expect(ids).toEqual(expect.arrayContaining(added));
    expect(ids).toHaveLength(added.length + 1);
  }, 120_000);

  test("a keyset that would not fit KMS's 4096 bytes is refused before anything is written", async () => {
    const { name, environment } = await place();
    const here = environment(await newKey());
    await keyset(here, "create", "--template", "AES256_CTR_HMAC_SHA256");
    let refused;
    for (let count = 0; count < 40 && refused === undefined; count++) {
      const { VersionId } = await secrets.getSecretValue({ SecretId: name, VersionStage: "AWSCURRENT" });
      const outcome = await keyset(here, "add-key", "--template", "AES256_CTR_HMAC_SHA256");
      if (outcome.code === 0) continue;
      refused = outcome;
      expect((await secrets.getSecretValue({ SecretId: name, VersionStage: "AWSCURRENT" })).VersionId).toBe(VersionId);
    }
    expect(refused?.err).toContain("KMS encrypts 4096");
  }, 120_000);

  test.each([
    ["an unknown secret", "secret", (arn: string) => ({ arn, secret: "no/such" })],
    [
      "an unknown KMS key",
      "kms",
      () => ({ arn: "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000", secret: undefined }),
    ],
  ])(
    "%s is one line that names the step %s",
    async (_what, step, choose) => {
      const { environment } = await place();
      const arn = await newKey();
      await keyset(environment(arn), "create");
      const { arn: kmsKeyArn, secret } = choose(arn);
      const { code, err } = await keyset(environment(kmsKeyArn, secret), "verify");
      expect(code).toBe(1);
      expect(err.split("\n")[0]).toContain(`keyset, step ${step}:`);
    },
    60_000,
  );
});

function temporaryFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "keyset-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
