import type { RandomBytes } from "../lib/random.ts";
import { writeEncryptedKeyset } from "../tink/encrypted-keyset.ts";
import { writeKeysetBinary } from "../tink/keyset-binary.ts";
import type { Keyset } from "../tink/keyset.ts";
import type { KeyUnwrapper } from "./key-unwrapper.ts";
import { KeysetFailure } from "./keyset-failure.ts";
import type { KeysetStore, StoredVersion } from "./keyset-store.ts";
import { resolveSecret, type ResolvedSecret } from "./resolve-secret.ts";
import type { SecretStore } from "./secret-store.ts";
import { unwrapKeyset } from "./unwrap-keyset.ts";

/** KMS Encrypt takes no more. */
const KMS_MAX_PLAINTEXT_BYTES = 4096;

/** The stage that a new version has until AWSCURRENT moves to it. One label for all writers: a secret has room for 20. */
const PENDING_STAGE = "chinmina-keyset-pending";

export interface SecretKeysetPlace {
  readonly secrets: SecretStore;
  readonly unwrapper: KeyUnwrapper;
  /** Name, either spelling, or ARN. */
  readonly secretId: string;
  readonly kmsKeyArn: string;
  readonly random: RandomBytes;
}

/**
 * A keyset in a Secrets Manager secret, encrypted under a KMS key. A new version is stored beside the current one first; then
 * AWSCURRENT moves, if it still is where it was read: two writers cannot lose each other's change, and a failure in
 * between leaves the old version in force. That one keeps the stage AWSPREVIOUS.
 */
export function createSecretKeysetStore(place: SecretKeysetPlace): KeysetStore {
  const secret = resolveSecret(place.secrets, place.secretId);
  const name = `secret ${place.secretId}`;
  return {
    name,
    step: "secret",
    maxBinaryBytes: KMS_MAX_PLAINTEXT_BYTES,
    read: async (signal) => {
      const current = await secret.getCurrent(signal);
      if (current.kind === "no-value" || current.value.trim() === "") {
        throw new KeysetFailure("keyset-absent", "secret", `${name} has no value yet`);
      }
      const { keyset, plaintext, summaryAgrees } = await unwrapKeyset(current.value, name, place, signal);
      const { versionId, createdAtEpochMs } = current;
      return { keyset, summaryAgrees, versionId, createdAtEpochMs, [Symbol.dispose]: () => void plaintext.fill(0) };
    },
    inspect: async (signal) => {
      const current = await secret.getCurrent(signal);
      if (current.kind === "no-value") return { version: undefined, isEmpty: true };
      return { version: current, isEmpty: current.value.trim() === "" };
    },
    write: async (keyset, replaces, signal) => {
      const value = await wrap(place, keyset, signal);
      return await swap(place, secret, value, replaces, signal);
    },
  };
}

/** Encrypts the keyset, and makes sure that what comes of it decrypts again before anyone depends on it. */
async function wrap(
  { unwrapper, kmsKeyArn }: SecretKeysetPlace,
  keyset: Keyset,
  signal?: AbortSignal,
): Promise<string> {
  const plaintext = writeKeysetBinary(keyset);
  try {
    const ciphertext = await unwrapper.encrypt(kmsKeyArn, plaintext, signal);
    const decrypted = await unwrapper.decrypt(kmsKeyArn, ciphertext, signal);
    const same = Bun.deepEquals(Buffer.from(decrypted), Buffer.from(plaintext));
    decrypted.fill(0);
    if (!same) throw new KeysetFailure("keyset-refused", "kms", `${kmsKeyArn} does not decrypt what it encrypted`);
    return writeEncryptedKeyset(ciphertext, keyset);
  } catch (cause) {
    if (cause instanceof KeysetFailure) throw cause;
    throw new KeysetFailure("keyset-unavailable", "kms", `encrypting under ${kmsKeyArn}`, { cause });
  } finally {
    plaintext.fill(0);
  }
}

async function swap(
  { secrets, random }: SecretKeysetPlace,
  secret: ResolvedSecret,
  value: string,
  replaces: StoredVersion | undefined,
  signal?: AbortSignal,
): Promise<"written" | "conflict"> {
  const secretId = await secret.resolveId(signal);
  const versionId = random(16).toHex();
  let failure: unknown;
  try {
    await secrets.putStaged({ secretId, versionId, stage: PENDING_STAGE, value }, signal);
    const from = replaces === undefined ? {} : { fromVersionId: replaces.versionId };
    if ((await secrets.moveCurrent({ secretId, toVersionId: versionId, ...from }, signal)) === "moved")
      return "written";
  } catch (cause) {
    failure = cause;
  }
  // An answer that was lost on its way, or a repeat that found its own work done, looks like a failure and is none.
  const current = await secret.getCurrent(signal).catch(() => undefined);
  if (current?.kind === "found" && current.versionId === versionId) return "written";
  if (failure === undefined) return "conflict";
  throw new KeysetFailure("keyset-unavailable", "secret", `writing ${secretId}`, { cause: failure });
}
