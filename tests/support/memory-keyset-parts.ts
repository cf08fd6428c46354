import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import type { KeyUnwrapper } from "../../src/keyset/key-unwrapper.ts";
import type { SecretLookup, SecretStore } from "../../src/keyset/secret-store.ts";
import { UpstreamFault } from "../../src/lib/upstream-fault.ts";

export const KMS_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555";
export const OTHER_KMS_KEY_ARN = "arn:aws:kms:us-east-1:123456789012:alias/other";

export interface MemoryKms extends KeyUnwrapper {
  /** Every buffer that was given out in clear, to look whether it was wiped. */
  readonly givenOut: Uint8Array[];
  /** Set: every call rejects with it. */
  failWith: Error | undefined;
  encrypt: KeyUnwrapper["encrypt"];
}

/** KMS with one AES key to an ARN, which refuses what another key encrypted, as AWS does. */
export function createMemoryKms(): MemoryKms {
  const keyOf = (arn: string): Buffer => createHash("sha256").update(arn).digest();
  const givenOut: Uint8Array[] = [];
  const kms: MemoryKms = {
    givenOut,
    failWith: undefined,
    encrypt: async (arn, plaintext) => {
      if (kms.failWith !== undefined) throw kms.failWith;
      if (plaintext.length > 4096) throw refused("kms", "ValidationException");
      const cipher = createCipheriv("aes-256-gcm", keyOf(arn), Buffer.alloc(12));
      return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    },
    decrypt: async (arn, ciphertext) => {
      if (kms.failWith !== undefined) throw kms.failWith;
      if (ciphertext.length < 16) throw refused("kms", "InvalidCiphertextException");
      const decipher = createDecipheriv("aes-256-gcm", keyOf(arn), Buffer.alloc(12));
      decipher.setAuthTag(ciphertext.subarray(-16));
      const plaintext = decipher.update(ciphertext.subarray(0, -16));
      try {
        decipher.final();
      } catch {
        throw refused("kms", "IncorrectKeyException");
      }
      givenOut.push(plaintext);
      return plaintext;
    },
  };
  return kms;
}

interface MemorySecret {
  readonly arn: string;
  readonly versions: Map<string, { readonly value: string; readonly createdAtEpochMs: number }>;
  readonly stages: Map<string, string>;
}

export interface MemorySecrets extends SecretStore {
  readonly secrets: Map<string, MemorySecret>;
  readonly reads: string[];
  /** Run before and after each write with its name; may throw, to break it off there. */
  onWrite: (moment: `${"before" | "after"} ${"put" | "move"}`) => void | Promise<void>;
  failWith: Error | undefined;
}

export interface MemorySecretsOptions {
  readonly nowMs: () => number;
  /** Names and ARNs that the caller may touch, judged before anything is looked up, as AWS does. Absent: all. */
  readonly allowed?: (secretId: string) => boolean;
}

export function createMemorySecrets(
  initial: Readonly<Record<string, string | undefined>>,
  { nowMs, allowed = () => true }: MemorySecretsOptions,
): MemorySecrets {
  const secrets = new Map<string, MemorySecret>();
  for (const [name, value] of Object.entries(initial)) {
    const arn = `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-AbCdEf`;
    const secret: MemorySecret = { arn, versions: new Map(), stages: new Map() };
    if (value !== undefined) {
      secret.versions.set("first", { value, createdAtEpochMs: nowMs() });
      secret.stages.set("AWSCURRENT", "first");
    }
    secrets.set(name, secret);
    secrets.set(arn, secret);
  }
  const get = (secretId: string): MemorySecret => {
    const secret = secrets.get(secretId);
    if (secret === undefined) throw refused("secrets-manager", "ResourceNotFoundException");
    return secret;
  };
  const store: MemorySecrets = {
    secrets,
    reads: [],
    onWrite: () => undefined,
    failWith: undefined,
    getCurrent: async (secretId): Promise<SecretLookup> => {
      store.reads.push(secretId);
      if (store.failWith !== undefined) throw store.failWith;
      if (!allowed(secretId)) return { kind: "denied" };
      const secret = secrets.get(secretId);
      if (secret === undefined) return { kind: "not-found" };
      const versionId = secret.stages.get("AWSCURRENT");
      const version = secret.versions.get(versionId ?? "");
      if (versionId === undefined || version === undefined) return { kind: "no-value" };
      return { kind: "found", arn: secret.arn, versionId, ...version };
    },
    putStaged: async ({ secretId, versionId, stage, value }) => {
      await store.onWrite("before put");
      const secret = get(secretId);
      secret.versions.set(versionId, { value, createdAtEpochMs: nowMs() });
      secret.stages.set(stage, versionId);
      await store.onWrite("after put");
    },
    moveCurrent: async ({ secretId, toVersionId, fromVersionId }) => {
      await store.onWrite("before move");
      const secret = get(secretId);
      const current = secret.stages.get("AWSCURRENT");
      if (current !== fromVersionId || !secret.versions.has(toVersionId)) return "conflict";
      secret.stages.set("AWSCURRENT", toVersionId);
      if (current !== undefined) secret.stages.set("AWSPREVIOUS", current);
      await store.onWrite("after move");
      return "moved";
    },
  };
  return store;
}

export function unavailable(upstream: "kms" | "secrets-manager"): UpstreamFault {
  return new UpstreamFault("upstream-unavailable", "no complete reply in time", { upstream });
}

export function refused(upstream: "kms" | "secrets-manager", name: string): UpstreamFault {
  return new UpstreamFault("upstream-refused", name, { upstream, status: 400 });
}
