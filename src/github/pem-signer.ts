import { createPrivateKey, sign, type KeyObject } from "node:crypto";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Secret } from "../lib/secret.ts";
import type { Signer } from "./signer.ts";

/**
 * Signs with a PEM private key (PKCS#1 or PKCS#8) held in this process; a literal `\n` in it is a line end.
 *
 * Throws `BridgeError` `invalid-private-key` when it is no RSA private key. For keys that must not be here at all: KMS.
 */
export function createPemSigner(pem: Secret): Signer {
  const key = parsePrivateKey(pem);
  return {
    sign: (message) =>
      new Promise((resolve, reject) => {
        sign("RSA-SHA256", message, key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
      }),
  };
}

/** The reason why `pem` cannot sign for an App, or undefined. Never shows the key. */
export function describePemProblem(pem: string): string | undefined {
  const key = tryParse(pem);
  if (key === undefined) return "is not a PEM private key";
  return key.asymmetricKeyType === "rsa" ? undefined : "is not an RSA key";
}

function parsePrivateKey(pem: Secret): KeyObject {
  const problem = describePemProblem(pem.reveal());
  const key = tryParse(pem.reveal());
  if (key === undefined || problem !== undefined)
    throw new BridgeError("invalid-private-key", `the App's private key ${problem}`);
  return key;
}

function tryParse(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem.replaceAll("\\n", "\n").trim());
  } catch {
    // The parser's own message can quote its input.
    return undefined;
  }
}
