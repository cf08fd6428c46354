import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createAwsClients, type AwsClients } from "../../../src/aws/clients.ts";
import { createKmsKeyUnwrapper } from "../../../src/aws/kms-key-unwrapper.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import { awsError, startAwsJsonServer, type AwsAnswer, type AwsJsonServer } from "../../support/aws-json-server.ts";
import { rejection } from "../../support/rejection.ts";

const KEY = "arn:aws:kms:ap-southeast-2:123456789012:alias/keyset";
const PLAINTEXT = new TextEncoder().encode("key bytes");
const CIPHERTEXT = new TextEncoder().encode("sealed");

describe("createKmsKeyUnwrapper()", () => {
  let server: AwsJsonServer;
  let environment: Disposable;
  let aws: AwsClients;
  let answer: AwsAnswer;
  beforeAll(() => {
    server = startAwsJsonServer((request) => answer(request));
    environment = useAwsEnvironment({ AWS_ENDPOINT_URL: server.url });
    aws = createAwsClients(async () => ({ accessKeyId: "a", secretAccessKey: "s" }), systemClock);
  });
  afterAll(async () => {
    aws[Symbol.dispose]();
    environment[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    answer = () => awsError("InternalFailure", 500);
  });

  test("decrypts under the ARN as written, without an encryption context, in the ARN's region", async () => {
    answer = () => Response.json({ KeyId: "x", Plaintext: Buffer.from(PLAINTEXT).toString("base64") });
    const plaintext = await createKmsKeyUnwrapper(aws).decrypt(KEY, CIPHERTEXT);
    expect(plaintext).toEqual(PLAINTEXT);
    // Its own memory: the caller wipes it.
    expect(plaintext.buffer.byteLength).toBe(PLAINTEXT.byteLength);
    const request = server.requests.at(-1);
    expect([request?.operation, request?.input]).toEqual([
      "Decrypt",
      { KeyId: KEY, CiphertextBlob: Buffer.from(CIPHERTEXT).toString("base64") },
    ]);
    expect(request?.authorization).toContain("/ap-southeast-2/kms/");
  });

  test("encrypts under the ARN as written, without an encryption context", async () => {
    answer = () => Response.json({ CiphertextBlob: Buffer.from(CIPHERTEXT).toString("base64") });
    expect(Buffer.from(await createKmsKeyUnwrapper(aws).encrypt(KEY, PLAINTEXT))).toEqual(Buffer.from(CIPHERTEXT));
    expect(server.requests.at(-1)).toMatchObject({
      operation: "Encrypt",
      input: { KeyId: KEY, Plaintext: Buffer.from(PLAINTEXT).toString("base64") },
    });
    expect(Object.keys(server.requests.at(-1)?.input ?? {})).not.toContain("EncryptionContext");
  });

  test.each(["IncorrectKeyException", "InvalidCiphertextException", "AccessDeniedException", "DisabledException"])(
    "%s is a refusal that names neither key nor text",
    async (name) => {
      answer = () => awsError(name);
      const error: unknown = await createKmsKeyUnwrapper(aws)
        .decrypt(KEY, CIPHERTEXT)
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "upstream-refused",
        message: `kms: decrypt: ${name} (status 400, request 11111111-2222-3333-4444-555555555555)`,
      });
    },
  );

  test("an empty reply is malformed", async () => {
    answer = () => Response.json({});
    const unwrapper = createKmsKeyUnwrapper(aws);
    expect(await rejection(unwrapper.decrypt(KEY, CIPHERTEXT))).toMatchObject({ code: "upstream-malformed" });
    expect(await rejection(unwrapper.encrypt(KEY, PLAINTEXT))).toMatchObject({ code: "upstream-malformed" });
  });

  test("what is no ARN is a mistake of the caller", async () => {
    expect(await rejection(createKmsKeyUnwrapper(aws).decrypt("alias/keyset", CIPHERTEXT))).toBeInstanceOf(TypeError);
  });
});
