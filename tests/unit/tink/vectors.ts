import { readFileSync } from "node:fs";
import { join } from "node:path";

const VECTORS = join(import.meta.dir, "../../vectors");

export interface VerdictCase {
  readonly name: string;
  readonly mode: "clear" | "enc";
  readonly text?: string;
  readonly textB64?: string;
  readonly ok: boolean;
  readonly stage?: "read" | "aead.New";
}

export interface KeysetCase {
  readonly name: string;
  readonly cleartext: unknown;
  readonly binaryHex: string;
  readonly encryptedIdentityKms: unknown;
  readonly ciphertexts: readonly { readonly pt: string; readonly ad: string; readonly ct: string }[];
}

export interface KeysetVectors {
  readonly sets: readonly KeysetCase[];
  readonly decryptMatrix: readonly {
    readonly encryptedBy: string;
    readonly decryptedBy: string;
    readonly ok: boolean;
  }[];
  readonly rejectedCiphertexts: {
    readonly set: string;
    readonly cases: readonly { readonly name: string; readonly ct: string; readonly ad: string }[];
  };
}

export const verdictCases: readonly VerdictCase[] = readVectors("tink/json-verdicts.json").cases;
export const keysetVectors: KeysetVectors = readVectors("tink/keysets.json");

// eslint-disable-next-line typescript/no-explicit-any -- vectors are typed where they are named
export function readVectors(name: string): any {
  return JSON.parse(readFileSync(join(VECTORS, name), "utf8"));
}

export function readVectorBytes(name: string): Uint8Array {
  return readFileSync(join(VECTORS, name));
}

export function documentOf({ text, textB64 }: VerdictCase): Uint8Array {
  return textB64 === undefined ? utf8(text ?? "") : Buffer.from(textB64, "base64");
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex);
}
