import { privateEncrypt, constants, type KeyObject } from "node:crypto";
import { createKeyset } from "../../../src/tink/edit-keyset.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import { writeEncryptedKeyset } from "../../../src/tink/encrypted-keyset.ts";
import { writeKeysetBinary } from "../../../src/tink/keyset-binary.ts";

export const SIGNING_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:alias/chinmina-signing";
export const KEYSET_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:alias/chinmina-keyset";
const SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tink-keyset-AbCdEf";

/** RFC 8017, section 9.2: what stands before a SHA-256 digest in a PKCS #1 v1.5 signature. */
const SHA256_PREFIX = Buffer.from("3031300d060960864801650304020105000420", "hex");

export interface AwsWorld {
  readonly kms: (request: Request) => Promise<Response>;
  readonly secretsManager: (request: Request) => Promise<Response>;
  /** Base64 of the binary keyset in clear, as KMS hands it out. */
  readonly keysetBase64: string;
}

/** KMS with the App's key and a key for the keyset, which Secrets Manager holds. */
export function createAwsWorld(appKey: KeyObject): AwsWorld {
  const keyset = createKeyset(findTemplate(DEFAULT_TEMPLATE), systemRandom);
  const keysetBase64 = Buffer.from(writeKeysetBinary(keyset)).toString("base64");
  const document = writeEncryptedKeyset(Buffer.from("sealed by the simulated KMS"), keyset);
  return {
    keysetBase64,
    kms: async (request) => {
      const input = (await request.json()) as Readonly<Record<string, string>>;
      if (operationOf(request) === "Decrypt") return reply({ KeyId: input["KeyId"], Plaintext: keysetBase64 });
      const digestInfo = Buffer.concat([SHA256_PREFIX, Buffer.from(input["Message"] ?? "", "base64")]);
      const signature = privateEncrypt({ key: appKey, padding: constants.RSA_PKCS1_PADDING }, digestInfo);
      return reply({
        KeyId: input["KeyId"],
        Signature: signature.toString("base64"),
        SigningAlgorithm: input["SigningAlgorithm"],
      });
    },
    secretsManager: async () =>
      reply({
        ARN: SECRET_ARN,
        Name: "tink-keyset",
        VersionId: "first",
        SecretString: document,
        CreatedDate: 1_760_000_000,
      }),
  };
}

function operationOf(request: Request): string {
  return request.headers.get("x-amz-target")?.split(".")[1] ?? "";
}

function reply(body: object): Response {
  return new Response(JSON.stringify(body), { headers: { "content-type": "application/x-amz-json-1.1" } });
}
