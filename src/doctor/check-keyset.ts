import type { AwsStage } from "../app/aws.ts";
import { createKeysetPlace } from "../app/keyset-place.ts";
import type { KeysetSource } from "../config/configuration.ts";
import { KeysetFailure } from "../keyset/keyset-failure.ts";
import { loadKeyset } from "../keyset/load-keyset.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import { type Check, failed, ok } from "./check.ts";
import { examine, type Explain } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";
import type { ProblemCode } from "./remedies.ts";

/** Whether the keyset of the shared cache can be read, decrypted and used, as at the start of the service. */
export async function checkKeyset(source: KeysetSource, aws: AwsStage, clock: Clock): Promise<Check> {
  const { check } = await examine("keyset", clock, async ({ run }) => {
    await run(
      "load",
      async (signal) => {
        const { summary } = await loadKeyset(createKeysetPlace(source, aws).store, signal);
        const { keys, primaryKeyId } = summary;
        return ok(`opens what it seals: ${keys.length} keys, primary ${primaryKeyId}`, undefined);
      },
      explain,
    );
  });
  return check;
}

const explain: Explain = (error) => {
  if (!(error instanceof KeysetFailure)) return undefined;
  const code = codeOf(error);
  // The lack of credentials or of a region is no fault of the place.
  const cause = explainFault({ unavailable: code, refused: code, malformed: code })(error);
  return cause ?? failed(code, describeCauses(error));
};

/** Loading alone is tried here, so the failures of writing do not come up. */
function codeOf({ code, step }: KeysetFailure): ProblemCode {
  if (code === "keyset-absent") return "keyset-absent";
  if (code !== "keyset-unavailable") return "keyset-unusable";
  switch (step) {
    case "file":
      return "keyset-file-unreadable";
    case "kms":
      return "keyset-kms-failed";
    case "secret":
      return "keyset-secret-unreadable";
    case "keyset":
    case "self-test":
      return "keyset-unusable";
  }
}
