import { createKmsKeyUnwrapper } from "../aws/kms-key-unwrapper.ts";
import { createSecretStore } from "../aws/secret-store.ts";
import type { KeysetSource } from "../config/configuration.ts";
import { createFileKeysetStore } from "../keyset/file-keyset-store.ts";
import type { KeysetStore } from "../keyset/keyset-store.ts";
import type { KmsAccess } from "../keyset/key-unwrapper.ts";
import { createSecretKeysetStore } from "../keyset/secret-keyset-store.ts";
import { systemRandom } from "../lib/random.ts";
import type { Telemetry } from "../telemetry/telemetry.ts";
import type { AwsStage } from "./aws.ts";
import { observeSecrets, observeUnwrapper } from "./observe/aws.ts";

/** Where a keyset lies, and what it is encrypted under there. */
export interface KeysetPlace {
  readonly store: KeysetStore;
  /** Absent for a file, whose keyset is in clear. */
  readonly kms: KmsAccess | undefined;
}

/** Opens nothing: the first reading does. `traces`: for a client span around each call to AWS. */
export function createKeysetPlace(source: KeysetSource, aws: AwsStage, traces?: Telemetry): KeysetPlace {
  if (source.kind === "file") return { store: createFileKeysetStore(source.path), kms: undefined };
  const { secretId, kmsKeyArn } = source;
  const unwrapper = observeUnwrapper(createKmsKeyUnwrapper(aws.clients), traces);
  const secrets = observeSecrets(createSecretStore(aws.clients), traces);
  const store = createSecretKeysetStore({ secrets, unwrapper, secretId, kmsKeyArn, random: systemRandom });
  return { store, kms: { unwrapper, kmsKeyArn } };
}
