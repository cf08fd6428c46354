import { BridgeError, describeCauses } from "../lib/bridge-error.ts";
import { UpstreamFault, type UpstreamFaultCode } from "../lib/upstream-fault.ts";
import { failed } from "./check.ts";
import type { Explain } from "./examine.ts";
import type { ProblemCode } from "./remedies.ts";

export interface FaultCodes {
  readonly unavailable: ProblemCode;
  readonly refused: ProblemCode;
  readonly malformed: ProblemCode;
  /** In place of `refused`, by the status that the upstream refused with. */
  readonly byStatus?: ReadonlyMap<number, ProblemCode>;
}

/** What a failed call to an upstream means. A lack of AWS credentials or of a region is its own problem, whoever needed them. */
export function explainFault(codes: FaultCodes): Explain {
  return (error) => {
    if (error instanceof BridgeError && error.code === "no-region") return failed("aws-region-missing", error.message);
    const fault = findFault(error);
    return fault === undefined ? undefined : failed(codeOf(fault, codes), describeCauses(error));
  };
}

function findFault(error: unknown): UpstreamFault | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (at instanceof UpstreamFault) return at;
  }
  return undefined;
}

function codeOf({ code, details, message }: UpstreamFault, codes: FaultCodes): ProblemCode {
  if (details.upstream === "aws-credentials") return "aws-credentials-missing";
  if (details.upstream === "secrets-manager" && message.includes("no region")) return "aws-region-missing";
  const byCode: Readonly<Record<UpstreamFaultCode, ProblemCode>> = {
    "upstream-unavailable": codes.unavailable,
    "upstream-refused": codes.byStatus?.get(details.status ?? 0) ?? codes.refused,
    "upstream-malformed": codes.malformed,
  };
  return byCode[code];
}
