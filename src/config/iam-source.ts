import type { ValkeyAuthentication } from "./configuration.ts";
import { EnvironmentReader, type Environment, type Problem } from "./environment-reader.ts";
import { readIam, VALKEY, type CheckIam } from "./valkey.ts";

export type Iam = Extract<ValkeyAuthentication, { readonly kind: "iam" }>;

/**
 * The user and the cache that tokens are signed for, as `VALKEY_USERNAME` and `VALKEY_IAM_*` say. Nothing else of the service's
 * configuration is looked at, and IAM need not be on.
 */
export function findIam(
  environment: Environment,
  checkIam: CheckIam,
):
  | { readonly kind: "found"; readonly iam: Iam }
  | { readonly kind: "invalid"; readonly problems: readonly [Problem, ...Problem[]] } {
  const reader = new EnvironmentReader({ ...environment, [VALKEY.password.name]: undefined }, () => "");
  const iam = readIam(reader, true, checkIam);
  const [problem, ...others] = reader.problems;
  if (problem !== undefined) return { kind: "invalid", problems: [problem, ...others] };
  if (iam === undefined) throw new TypeError("what is missing is a problem");
  return { kind: "found", iam };
}
