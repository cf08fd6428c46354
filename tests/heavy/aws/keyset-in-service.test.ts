import { KMS } from "@aws-sdk/client-kms";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { systemRandom } from "../../../src/lib/random.ts";
import { addKey, createKeyset, promoteKey } from "../../../src/tink/edit-keyset.ts";
import { writeEncryptedKeyset } from "../../../src/tink/encrypted-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import { writeKeysetBinary } from "../../../src/tink/keyset-binary.ts";
import { parseCleartextKeyset, writeCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator } from "../../support/emulators.ts";
import { createLaters } from "../../support/later/later.ts";
import { rejection } from "../../support/rejection.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { startMemoryServer, type MemoryServer } from "../../support/valkey/memory-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";
import { startWorld, type TestWorld } from "../../support/world.ts";

const QUARTER_SECONDS = 15 * 60;
const authority = createCertificateAuthority();
const credentials = { accessKeyId: "task", secretAccessKey: "s" };
const template = findTemplate(DEFAULT_TEMPLATE);

describe("the binary, with a keyset that it cannot use or cannot read again", () => {
  let emulator: Emulator;
  let kms: KMS;
  let secrets: SecretsManager;
  let valkey: MemoryServer;

  beforeAll(async () => {
    emulator = await startEmulator("moto");
    const settings = { region: "us-east-1", endpoint: emulator.url, credentials };
    kms = new KMS(settings);
    secrets = new SecretsManager(settings);
    valkey = await startMemoryServer({ tls: authority.issue("keyset", ["localhost"]) });
  }, INSTALL_TIMEOUT_MS);
  afterAll(async () => {
    kms.destroy();
    secrets.destroy();
    await valkey[Symbol.asyncDispose]();
    await emulator[Symbol.asyncDispose]();
  });

  const keyset = createKeyset(template, systemRandom);
  const keyBytes = keyset.keys[0]?.keyData.value ?? new Uint8Array();
  const newKmsKey = async (): Promise<string> => (await kms.createKey({})).KeyMetadata?.Arn ?? "";
  const encrypt = async (arn: string, bytes: Uint8Array) =>
    (await kms.encrypt({ KeyId: arn, Plaintext: bytes })).CiphertextBlob ?? new Uint8Array();

  /** `value` undefined: the secret has none. */
  async function place(value: string | undefined, kmsKeyArn: string) {
    const name = `/chinmina-bridge/${crypto.randomUUID()}/tink-keyset`;
    await secrets.createSecret({ Name: name, ...(value === undefined ? {} : { SecretString: value }) });
    const variables = {
      ...valkeyVariables(valkey, authority),
      AWS_ENDPOINT_URL: emulator.url,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      CACHE_ENCRYPTION_ENABLED: "true",
      CACHE_ENCRYPTION_KEYSET_URI: `aws-secretsmanager://${name}`,
      CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: `aws-kms://${kmsKeyArn}`,
    };
    return { name, variables };
  }

  const sealed = async (arn: string, bytes = writeKeysetBinary(keyset)): Promise<string> =>
    writeEncryptedKeyset(await encrypt(arn, bytes), keyset);

  test.concurrent.each([
    ["a secret without a value", "secret", "has no value yet", async () => undefined],
    ["a keyset in clear", "secret", "clear text", async () => writeCleartextKeyset(keyset)],
    ["something else", "secret", "is not a field of a keyset", async () => '{"password":"hunter2"}'],
    ["a corrupt ciphertext", "kms", "InvalidCiphertext", async () => '{"encryptedKeyset":"AAAAAAAAAAAAAAAAAAAAAAAA"}'],
    ["another KMS key's", "kms", "decrypting under", async () => sealed(await newKmsKey())],
    ["no keyset, encrypted", "keyset", "protobuf", async (arn) => sealed(arn, new TextEncoder().encode("hello"))],
    ["a keyset without a primary", "keyset", "primary", async (arn) => sealed(arn, withoutPrimary())],
  ] satisfies [string, string, string, (kmsKeyArn: string) => Promise<string | undefined>][])(
    "does not start and says so in one line: %s is a fault of the step %s",
    async (_what, step, reason, make) => {
      const kmsKeyArn = await newKmsKey();
      const { variables } = await place(await make(kmsKeyArn), kmsKeyArn);
      const { message } = await rejection(startWorld(variables, { form: "binary" }));
      expect(message).toContain("ended with status 1");
      const lines = message.split("\n").filter((line: string) => line.includes("did not start"));
      expect(lines).toEqual([expect.stringContaining(`keyset, step ${step}: `)]);
      expect(lines[0]).toContain(reason);
      expect(message).not.toContain("hunter2");
      for (const form of [Buffer.from(keyBytes).toString("base64").slice(4, 24), keyBytes.slice(4).toHex()]) {
        expect(message).not.toContain(form);
      }
    },
    40_000,
  );

  test("goes on with the keyset that it has while the secret is broken, says so, and takes the next good one", async () => {
    const kmsKeyArn = await newKmsKey();
    const { name, variables } = await place(await sealed(kmsKeyArn), kmsKeyArn);
    using shims = createLaters(1);
    const [later] = shims.laters;
    await using world = await startWorld({ ...variables, ...later?.variables }, { form: "binary" });
    await secrets.putSecretValue({ SecretId: name, SecretString: "broken" });
    later?.advance(QUARTER_SECONDS);
    const failed = await said(world, "keyset could not be read again; the one in force stays");
    expect(failed["reason"]).toContain("keyset, step secret");
    expect((await world.ask("/token")).status).toBe(200);
    const { keyset: added, keyId } = addKey(keyset, template, systemRandom);
    const next = writeEncryptedKeyset(await encrypt(kmsKeyArn, writeKeysetBinary(promoteKey(added, keyId))), added);
    await secrets.putSecretValue({ SecretId: name, SecretString: next });
    // After a failure the next try comes within minutes.
    later?.advance(3 * 60);
    const changed = await said(world, "keyset in force", (line) => line["before"] !== undefined);
    expect(changed).toMatchObject({ primaryKeyId: keyId, before: { primaryKeyId: keyset.primaryKeyId } });
  }, 60_000);

  test("reads a keyset file again in the same way", async () => {
    using file = writeKeysetFile();
    using shims = createLaters(1);
    const [later] = shims.laters;
    const variables = { ...valkeyVariables(valkey, authority), ...file.variables, ...later?.variables };
    await using world = await startWorld(variables, { form: "binary" });
    const { keyset: added, keyId } = addKey(parseCleartextKeyset(readFileSync(file.path)), template, systemRandom);
    writeFileSync(file.path, writeCleartextKeyset(promoteKey(added, keyId)));
    later?.advance(QUARTER_SECONDS);
    const changed = await said(world, "keyset in force", (line) => line["before"] !== undefined);
    expect(changed["primaryKeyId"]).toBe(keyId);
  }, 60_000);

  function withoutPrimary(): Uint8Array<ArrayBuffer> {
    const [key] = keyset.keys;
    if (key === undefined) throw new Error("a new keyset has a key");
    return writeKeysetBinary({ primaryKeyId: key.keyId - 1, keys: [key] });
  }
});

/** A process whose clock was moved on looks at it when something wakes it. */
async function said(world: TestWorld, message: string, which: (line: any) => boolean = () => true) {
  const found = () => world.bridge.lines.find((line) => line["message"] === message && which(line));
  for (let attempt = 0; attempt < 200; attempt++) {
    const line = found();
    if (line !== undefined) return line;
    await fetch(`${world.bridge.url}/healthcheck`);
    await Bun.sleep(50);
  }
  throw new Error(`never said: ${message}\n${world.bridge.output()}`);
}
