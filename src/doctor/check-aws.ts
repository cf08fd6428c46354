import type { AwsStage } from "../app/aws.ts";
import { loadDefaultRegion } from "../aws/default-region.ts";
import type { Configuration } from "../config/configuration.ts";
import type { Clock } from "../lib/clock.ts";
import { type Check, failed, ok } from "./check.ts";
import { examine } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";

const explain = explainFault({
  unavailable: "aws-credentials-missing",
  refused: "aws-credentials-missing",
  malformed: "aws-credentials-missing",
});

/** What every use of AWS begins with. Undefined: nothing here uses AWS. */
export async function checkAws(configuration: Configuration, aws: AwsStage, clock: Clock): Promise<Check | undefined> {
  const { github, cache } = configuration;
  const usesKms = [github.defaultApp, ...github.otherApps].some(({ key }) => key.kind === "privateKeyArn");
  const usesSecrets = cache.valkey?.keyset?.kind === "secrets-manager";
  const usesIam = cache.valkey?.authentication.kind === "iam";
  if (!usesKms && !usesSecrets && !usesIam) return undefined;
  const { check } = await examine("AWS", clock, async ({ run, skip }) => {
    await run(
      "credentials",
      async () => {
        const { expiration } = await aws.credentials.current();
        return ok(expiration === undefined ? "they do not expire" : `until ${expiration.toISOString()}`, undefined);
      },
      explain,
    );
    if (!usesSecrets && !usesIam) return skip("region", "every ARN names its own");
    await run("region", async () => {
      const region = await loadDefaultRegion();
      return region === undefined ? failed("aws-region-missing", "AWS_REGION is not set") : ok(region, undefined);
    });
  });
  return check;
}
