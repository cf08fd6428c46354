import { nextStepFor } from "../../app/next-steps.ts";
import { KeysetFailure, type KeysetStep } from "../../keyset/keyset-failure.ts";
import { describeCauses } from "../../lib/bridge-error.ts";
import { UpstreamFault } from "../../lib/upstream-fault.ts";
import { KeysetError } from "../../tink/keyset-error.ts";
import type { CommandIo, ExitCode } from "../command.ts";
import { CommandFailure } from "../failure.ts";
import { printable } from "../printable.ts";
import { withProgress } from "../progress.ts";

const PUT_BACK = "look at the keyset with tinkey, or put back the version AWSPREVIOUS of the secret";

const ADVICE_BY_STEP: Readonly<Record<KeysetStep, string>> = {
  secret:
    "check the secret's name, the region, and that you may read and write it (secretsmanager:GetSecretValue, PutSecretValue, UpdateSecretVersionStage)",
  file: "check the path and that you may read and write it",
  kms: "check the key's ARN and that you may use it (kms:Encrypt, kms:Decrypt)",
  keyset: PUT_BACK,
  "self-test": PUT_BACK,
};

/** What there is was read, and is no keyset that can be used there. */
const REFUSED_BY_STEP: Readonly<Record<KeysetStep, string>> = {
  secret: `${PUT_BACK}; keyset import takes one over from a file, clear or encrypted`,
  file: "name a keyset that tinkey or this command wrote; --file takes one in clear, keyset import also an encrypted one",
  kms: "name the KMS key that the keyset is encrypted under, and one that both encrypts and decrypts",
  keyset: PUT_BACK,
  "self-test": PUT_BACK,
};

/** Does a command's work and turns what a keyset can go wrong with into a line of what failed and a line of what to do. */
export async function onKeyset(io: CommandIo, work: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await withProgress("working on the keyset", io, work);
  } catch (error) {
    throw explain(error);
  }
}

function explain(error: unknown): unknown {
  if (error instanceof KeysetFailure) {
    return new CommandFailure(printable(describeCauses(error)), {
      code: error.code,
      advice: adviceFor(error),
      cause: error,
    });
  }
  if (error instanceof KeysetError) {
    const { code } = error;
    return new CommandFailure(printable(describeCauses(error)), { code, advice: nextStepFor(code), cause: error });
  }
  if (error instanceof UpstreamFault) {
    const { code } = error;
    return new CommandFailure(printable(describeCauses(error)), { code, advice: nextStepFor(code), cause: error });
  }
  return error;
}

function adviceFor({ code, step }: KeysetFailure): string {
  switch (code) {
    case "keyset-absent":
    case "keyset-exists":
    case "keyset-too-large":
    case "keyset-conflict":
      return nextStepFor(code);
    case "keyset-unavailable":
      return ADVICE_BY_STEP[step];
    case "keyset-refused":
      return REFUSED_BY_STEP[step];
  }
}
