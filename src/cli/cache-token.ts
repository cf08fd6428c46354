import { createAwsStage } from "../app/aws.ts";
import { createIamTokens, describeIamProblems } from "../app/iam-tokens.ts";
import { findIam, type Iam } from "../config/iam-source.ts";
import { describeCauses } from "../lib/bridge-error.ts";
import { createJsonLogger } from "../telemetry/logger.ts";
import type { Command, CommandIo } from "./command.ts";
import { CommandFailure } from "./failure.ts";
import { printable } from "./printable.ts";

/** `cache-token`: an IAM token for the configured cache, alone on standard output. Good for 15 minutes. */
export const cacheToken: Command = {
  options: [],
  examples: [
    "chinmina-bridge cache-token",
    'valkey-cli --tls -h HOST --user "$VALKEY_USERNAME" --pass "$(chinmina-bridge cache-token)" PING',
  ],
  run: async (_invocation, io) => {
    const found = findIam(io.environment, describeIamProblems);
    if (found.kind === "invalid") {
      const [{ variable, problem, accepted }] = found.problems;
      throw new CommandFailure(`${variable} ${problem}`, {
        code: "configuration-invalid",
        advice: `accepted: ${accepted}`,
      });
    }
    await io.out.write(`${await sign(found.iam, io)}\n`);
    return 0;
  },
};

async function sign(iam: Iam, { clock }: CommandIo): Promise<string> {
  // What the stage would log is in the failure already.
  const logger = createJsonLogger("error", clock.nowMs, () => undefined);
  using aws = createAwsStage(clock, logger);
  try {
    const tokens = await createIamTokens(iam, aws);
    return await tokens.token();
  } catch (cause) {
    const advice = "AWS_REGION names the cache's region; credentials come from where AWS SDKs find them";
    throw new CommandFailure(printable(describeCauses(cause)), { code: "token-not-signed", advice, cause });
  }
}
