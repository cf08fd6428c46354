import type { ConfigurationChecks } from "../config/read-configuration.ts";
import { describePemProblem } from "../github/pem-signer.ts";
import { createStaticKeySource } from "../oidc/static-key-source.ts";
import { describeIamProblems } from "./iam-tokens.ts";

/** What their owners know of a value that configuration must refuse before anything starts. */
export const configurationChecks: ConfigurationChecks = {
  pem: describePemProblem,
  jwks: describeJwksProblem,
  iam: describeIamProblems,
};

function describeJwksProblem(jwks: string): string | undefined {
  try {
    createStaticKeySource(jwks);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : "cannot be read";
  }
}
