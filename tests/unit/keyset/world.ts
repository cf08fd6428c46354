import { KeysetFailure } from "../../../src/keyset/keyset-failure.ts";
import type { KeysetStore } from "../../../src/keyset/keyset-store.ts";
import type { KeysetTools } from "../../../src/keyset/change-keyset.ts";
import { createSecretKeysetStore } from "../../../src/keyset/secret-keyset-store.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { writeEncryptedKeyset } from "../../../src/tink/encrypted-keyset.ts";
import { addKey, createKeyset } from "../../../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import { writeKeysetBinary } from "../../../src/tink/keyset-binary.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";
import { createFixedClock, type FixedClock } from "../../support/fixed-clock.ts";
import {
  createMemoryKms,
  createMemorySecrets,
  KMS_KEY_ARN,
  type MemoryKms,
  type MemorySecrets,
} from "../../support/memory-keyset-parts.ts";

export const SECRET = "/chinmina-bridge/production/tink-keyset";
export const aes256 = findTemplate(DEFAULT_TEMPLATE);

export interface KeysetWorld {
  readonly clock: FixedClock;
  readonly kms: MemoryKms;
  readonly secrets: MemorySecrets;
  readonly store: KeysetStore;
  readonly tools: KeysetTools;
}

export function keysetOf(count: number): Keyset {
  let keyset = createKeyset(aes256, systemRandom);
  for (let added = 1; added < count; added++) keyset = addKey(keyset, aes256, systemRandom).keyset;
  return keyset;
}

export async function sealedDocument(kms: MemoryKms, keyset: Keyset, arn = KMS_KEY_ARN): Promise<string> {
  return writeEncryptedKeyset(await kms.encrypt(arn, writeKeysetBinary(keyset)), keyset);
}

/** One secret with `keyset` in it; undefined: without a value. */
export async function createKeysetWorld(keyset: Keyset | string | undefined): Promise<KeysetWorld> {
  const clock = createFixedClock();
  const kms = createMemoryKms();
  const value = typeof keyset === "object" ? await sealedDocument(kms, keyset) : keyset;
  const secrets = createMemorySecrets({ [SECRET]: value }, clock);
  const store = createStore({ kms, secrets });
  return { clock, kms, secrets, store, tools: { store, clock, jitter: () => 0.5 } };
}

export function createStore(
  { kms, secrets }: Pick<KeysetWorld, "kms" | "secrets">,
  secretId = SECRET,
  kmsKeyArn = KMS_KEY_ARN,
): KeysetStore {
  return createSecretKeysetStore({ secrets, unwrapper: kms, secretId, kmsKeyArn, random: systemRandom });
}

export function currentValue({ secrets }: Pick<KeysetWorld, "secrets">): string | undefined {
  const secret = secrets.secrets.get(SECRET);
  return secret?.versions.get(secret.stages.get("AWSCURRENT") ?? "")?.value;
}

/** What a promise failed with, in the words that a test compares. */
export async function failureOf(promise: Promise<unknown>): Promise<{ code: string; step: string; message: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof KeysetFailure) return { code: error.code, step: error.step, message: error.message };
    throw error;
  }
  throw new Error("did not fail");
}
