import type { KeysetSource } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { flag, read, refused, lineOfText, type Format } from "./format.ts";
import { kmsKeyArn } from "./key-format.ts";
import { variablesOf } from "./variable.ts";

const { defaulted, optional } = variablesOf("encryption");

const secretUri: Format<string> = {
  accepted: "aws-secretsmanager://NAME or aws-secretsmanager://ARN",
  read: (value) => {
    const id = /^aws-secretsmanager:\/\/([A-Za-z0-9/_+=.@:-]{1,2048})$/.exec(value)?.[1];
    return id === undefined ? refused("is no aws-secretsmanager:// URI with a secret's name or ARN") : read(id);
  },
};

const kmsUri: Format<string> = {
  accepted: `aws-kms:// followed by ${kmsKeyArn.accepted}`,
  read: (value) => {
    const arn = /^aws-kms:\/\/(.*)$/.exec(value)?.[1];
    return arn === undefined || kmsKeyArn.read(arn).kind === "refused"
      ? refused("is no aws-kms:// URI with the ARN of a key or alias")
      : read(arn);
  },
};

/** Where the keyset that encrypts cached tokens comes from. */
export const ENCRYPTION = {
  enabled: defaulted({
    name: "CACHE_ENCRYPTION_ENABLED",
    default: "false",
    meaning: "Encrypt what is stored in Valkey. Needs CACHE_TYPE=valkey and exactly one source of a keyset.",
    format: flag,
  }),
  keysetUri: optional({
    name: "CACHE_ENCRYPTION_KEYSET_URI",
    whenUnset: "no keyset in Secrets Manager",
    meaning: "The secret that holds the encrypted keyset.",
    format: secretUri,
  }),
  kmsKeyUri: optional({
    name: "CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI",
    whenUnset: "required with CACHE_ENCRYPTION_KEYSET_URI",
    meaning: "The KMS key that the keyset is encrypted under; set exactly when CACHE_ENCRYPTION_KEYSET_URI is.",
    format: kmsUri,
  }),
  keysetFile: optional({
    name: "CACHE_ENCRYPTION_KEYSET_FILE",
    whenUnset: "no keyset file",
    meaning: "A cleartext Tink JSON keyset, for development.",
    format: lineOfText("a path"),
  }),
} as const;

/** Whether the sources fit together is asked only when encryption is on. */
export function readKeyset(reader: EnvironmentReader, valkeyIsUsed: boolean): KeysetSource | undefined {
  const enabled = reader.read(ENCRYPTION.enabled);
  const secretId = reader.read(ENCRYPTION.keysetUri);
  const kmsKeyId = reader.read(ENCRYPTION.kmsKeyUri);
  const path = reader.read(ENCRYPTION.keysetFile);
  if (!enabled) return undefined;
  if (!valkeyIsUsed)
    reader.refuse(ENCRYPTION.enabled, "is true, and CACHE_TYPE is memory", "false, or CACHE_TYPE=valkey");
  checkSources(reader);
  if (path !== undefined) return { kind: "file", path };
  if (secretId === undefined || kmsKeyId === undefined) return undefined;
  return { kind: "secrets-manager", secretId, kmsKeyArn: kmsKeyId };
}

function checkSources(reader: EnvironmentReader): void {
  const uri = reader.isSet(ENCRYPTION.keysetUri);
  const kms = reader.isSet(ENCRYPTION.kmsKeyUri);
  if (reader.isSet(ENCRYPTION.keysetFile)) {
    if (uri || kms) reader.refuse(ENCRYPTION.keysetFile, "is set beside another source of a keyset", "one of the two");
  } else if (!uri && !kms) {
    reader.refuse(
      ENCRYPTION.keysetUri,
      "is required with CACHE_ENCRYPTION_ENABLED, or else CACHE_ENCRYPTION_KEYSET_FILE",
    );
  } else if (!uri) {
    reader.refuse(ENCRYPTION.keysetUri, "is required with CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI");
  } else if (!kms) {
    reader.refuse(ENCRYPTION.kmsKeyUri, "is required with CACHE_ENCRYPTION_KEYSET_URI");
  }
}
