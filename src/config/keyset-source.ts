import type { KeysetSource } from "./configuration.ts";
import { ENCRYPTION, readKeyset } from "./encryption.ts";
import { EnvironmentReader, type Environment, type Problem } from "./environment-reader.ts";

/** A keyset's place as a command line gives it, in the forms that the variables have. */
export interface GivenKeyset {
  readonly file: string | undefined;
  readonly keysetUri: string | undefined;
  readonly kmsKeyUri: string | undefined;
}

/**
 * Where the keyset is that a command works on: as given, else as the `CACHE_ENCRYPTION_*` variables say. Nothing else of the service's
 * configuration is looked at, and encryption need not be on.
 */
export function findKeysetSource(
  environment: Environment,
  { file, keysetUri, kmsKeyUri }: GivenKeyset,
): { readonly kind: "found"; readonly source: KeysetSource } | { readonly kind: "invalid"; readonly problem: Problem } {
  const given = {
    [ENCRYPTION.keysetFile.name]: file,
    [ENCRYPTION.keysetUri.name]: keysetUri,
    [ENCRYPTION.kmsKeyUri.name]: kmsKeyUri,
  };
  const isGiven = Object.values(given).some((value) => value !== undefined);
  const settings = { ...(isGiven ? given : environment), [ENCRYPTION.enabled.name]: "true" };
  const reader = new EnvironmentReader(settings, () => "");
  const source = readKeyset(reader, true);
  const [problem] = reader.problems;
  if (source !== undefined && problem === undefined) return { kind: "found", source };
  const missing = { variable: ENCRYPTION.keysetUri.name, problem: "names no keyset", accepted: "a secret or a file" };
  return { kind: "invalid", problem: problem ?? missing };
}
