import { keyTypeName } from "../tink/key-templates.ts";
import type { Keyset, KeyStatus, OutputPrefix } from "../tink/keyset.ts";

/** What may be shown of a keyset. Its shape is that of `keyset list --format json`. */
export interface KeysetSummary {
  readonly primaryKeyId: number;
  readonly keys: readonly KeySummary[];
}

export interface KeySummary {
  readonly keyId: number;
  readonly status: KeyStatus;
  /** `AES256_GCM` and the like; see `keyTypeName`. */
  readonly type: string;
  readonly outputPrefix: OutputPrefix;
  readonly primary: boolean;
}

/** To be called before the keyset is wiped: the type is read from the key's message. */
export function summarizeKeyset(keyset: Keyset): KeysetSummary {
  const { primaryKeyId } = keyset;
  const keys = keyset.keys.map((key): KeySummary => {
    const { keyId, status, outputPrefix } = key;
    return { keyId, status, type: keyTypeName(key), outputPrefix, primary: keyId === primaryKeyId };
  });
  return { primaryKeyId, keys };
}
