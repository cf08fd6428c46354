import { createHash } from "node:crypto";
import type { Signer } from "../github/signer.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { callAws } from "./call-aws.ts";
import { regionOfArn, type AwsClients } from "./clients.ts";

/** Of RSA_2048, RSA_3072 and RSA_4096, all that KMS has. */
const SIGNATURE_BYTES: ReadonlySet<number> = new Set([256, 384, 512]);
const OPERATION = "sign App JWT";

/**
 * Signs with an RSA key that never leaves KMS. `keyArn` is the ARN of a key or an alias and goes to KMS exactly as written:
 * key policies may depend on the alias (`kms:RequestAlias`), and moving the alias to another key is how the key is rotated.
 *
 * Only the digest is sent. That the signature is right is not checked: the public key is not here, and GitHub checks it.
 * `sign` throws `UpstreamFault`, whose message never shows the ARN. Throws `TypeError` when `keyArn` is no ARN.
 */
export function createKmsSigner(aws: AwsClients, keyArn: string): Signer {
  const region = regionOfArn(keyArn);
  if (region === undefined) throw new TypeError("a KMS signer needs the ARN of a key or an alias");
  return {
    sign: async (message, signal) => {
      const call = { upstream: "kms", operation: OPERATION, clock: aws.clock, signal } as const;
      const digest = createHash("sha256").update(message).digest();
      const { Signature: signature } = await callAws(call, async (abortSignal) => {
        const kms = await aws.kms(region);
        return kms.sign(
          {
            KeyId: keyArn,
            Message: digest,
            MessageType: "DIGEST",
            SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256",
          },
          { abortSignal },
        );
      });
      if (signature !== undefined && SIGNATURE_BYTES.has(signature.byteLength)) return signature;
      throw new UpstreamFault("upstream-malformed", `${OPERATION}: what came back has not the length of a signature`, {
        upstream: "kms",
      });
    },
  };
}
