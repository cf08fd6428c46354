import type { KeyUnwrapper } from "../keyset/key-unwrapper.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { callAws } from "./call-aws.ts";
import { regionOfArn, type AwsClients } from "./clients.ts";

/**
 * KMS Decrypt and Encrypt under the named key, in the region of its ARN, without an encryption context, as tink-go and tinkey do it
 * for keysets. That the ciphertext belongs to this key is KMS's to check (IncorrectKeyException).
 */
export function createKmsKeyUnwrapper(aws: AwsClients): KeyUnwrapper {
  return {
    decrypt: async (kmsKeyArn, ciphertext, signal) => {
      const call = { upstream: "kms", operation: "decrypt", clock: aws.clock, signal } as const;
      const region = regionOf(kmsKeyArn);
      const reply = await callAws(call, async (abortSignal) => {
        const kms = await aws.kms(region);
        return kms.decrypt({ KeyId: kmsKeyArn, CiphertextBlob: ciphertext }, { abortSignal });
      });
      return takeOver(present(reply.Plaintext, call.operation));
    },
    encrypt: async (kmsKeyArn, plaintext, signal) => {
      const call = { upstream: "kms", operation: "encrypt", clock: aws.clock, signal } as const;
      const region = regionOf(kmsKeyArn);
      const reply = await callAws(call, async (abortSignal) => {
        const kms = await aws.kms(region);
        return kms.encrypt({ KeyId: kmsKeyArn, Plaintext: plaintext }, { abortSignal });
      });
      return present(reply.CiphertextBlob, call.operation);
    },
  };
}

function regionOf(kmsKeyArn: string): string {
  const region = regionOfArn(kmsKeyArn);
  if (region === undefined) throw new TypeError("KMS needs the ARN of a key or an alias");
  return region;
}

/** The SDK's bytes can be a view on memory that others share. A copy can be wiped for good, and the original is. */
function takeOver(bytes: Uint8Array): Uint8Array {
  const own = Uint8Array.from(bytes);
  bytes.fill(0);
  return own;
}

function present(bytes: Uint8Array | undefined, operation: string): Uint8Array {
  if (bytes !== undefined && bytes.byteLength > 0) return bytes;
  throw new UpstreamFault("upstream-malformed", `${operation}: the reply holds nothing`, { upstream: "kms" });
}
