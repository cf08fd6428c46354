import { createKmsKeyUnwrapper } from "../aws/kms-key-unwrapper.ts";
import { createSecretStore } from "../aws/secret-store.ts";
import type { KeysetSource } from "../config/configuration.ts";
import { createFileKeysetStore } from "../keyset/file-keyset-store.ts";
import type { KeysetStore } from "../keyset/keyset-store.ts";
import type { KmsAccess } from "../keyset/key-unwrapper.ts";
import { createSecretKeysetStore } from "../keyset/secret-keyset-store.ts";
import { systemRandom } from "../lib/random.ts";
import type { AwsStage } from "./aws.ts";

/** Where a keyset lies, and what it is encrypted under there. */
export interface KeysetPlace {
  readonly store: KeysetStore;
  /** Absent for a file, whose keyset is in clear. */
  readonly kms: KmsAccess | undefined;
}

/** Opens nothing: the first reading does. */
export function createKeysetPlace(source: KeysetSource, aws: AwsStage): KeysetPlace {
  if (source.kind === "file") return { store: createFileKeysetStore(source.path), kms: undefined };
  const { secretId, kmsKeyArn } = source;
  const unwrapper = createKmsKeyUnwrapper(aws.clients);
  const secrets = createSecretStore(aws.clients);
  const store = createSecretKeysetStore({ secrets, unwrapper, secretId, kmsKeyArn, random: systemRandom });
  return { store, kms: { unwrapper, kmsKeyArn } };
}
