import * as v from "valibot";
import { UpstreamFault, type Upstream, type UpstreamFaultCode } from "../lib/upstream-fault.ts";
import { judgeReply } from "../lib/upstream-verdict.ts";

/** What is read of an error of the AWS SDK. Never its message: AWS names ARNs there, and parsers quote their input. */
const SdkError = v.object({
  name: v.optional(v.string(), ""),
  code: v.optional(v.unknown()),
  $metadata: v.optional(v.object({ httpStatusCode: v.optional(v.number()), requestId: v.optional(v.string()) }), {}),
});

const NAME = /^[A-Za-z]\w{0,79}$/;
const MALFORMED = new Set(["SyntaxError", "ReplyTooLarge"]);
/**
 * AWS errors that may pass although their status is 4xx. An expired token is a lapse of ours, no verdict on what was asked.
 * Source: "Common Error Types" of the KMS and Secrets Manager API references, and their operations' lists of errors.
 */
const PASSING =
  /Throttl|^TooManyRequests|^RequestLimitExceeded$|^SlowDown$|^KMSInternal|^DependencyTimeout|^KeyUnavailable|^InternalService|^InternalFailure$|^ServiceUnavailable|^RequestTimeout|^ExpiredToken/;

/** The stable name of an AWS error (`AccessDeniedException`), or undefined when AWS gave none. */
export function awsErrorName(error: unknown): string | undefined {
  const parsed = v.safeParse(SdkError, error);
  if (!parsed.success || parsed.output.$metadata.httpStatusCode === undefined) return undefined;
  return NAME.test(parsed.output.name) ? parsed.output.name : undefined;
}

/** An SDK error as the rest of the service knows them. Its message tells operation, error name and request id, no ARN. */
export function toUpstreamFault(error: unknown, upstream: Upstream, operation: string): UpstreamFault {
  if (error instanceof UpstreamFault) return error;
  const parsed = v.safeParse(SdkError, error);
  const { httpStatusCode: status, requestId } = parsed.success ? parsed.output.$metadata : {};
  const name = parsed.success ? parsed.output.name : "";
  return new UpstreamFault(
    classify(upstream, status, name),
    `${operation}: ${describe(status, name, parsed.success ? parsed.output.code : undefined)}`,
    {
      upstream,
      ...(status === undefined ? {} : { status }),
      ...(requestId === undefined || !/^[\w-]{1,64}$/.test(requestId) ? {} : { requestId }),
    },
  );
}

function classify(upstream: Upstream, status: number | undefined, name: string): UpstreamFaultCode {
  // A reply that came and could not be read, or whose reading was given up.
  const isGarbled = MALFORMED.has(name);
  if (isGarbled && status === undefined) return "upstream-malformed";
  const verdict = judgeReply({
    upstream,
    ...(status === undefined ? {} : { status }),
    saysLater: !isGarbled && PASSING.test(name),
  });
  // An error beside a status of success is nonsense.
  return verdict === "success" || (isGarbled && verdict === "upstream-refused") ? "upstream-malformed" : verdict;
}

function describe(status: number | undefined, name: string, code: unknown): string {
  if (name === "SyntaxError") return "the reply is not what AWS sends";
  if (name === "ReplyTooLarge") return "the reply is too large";
  if (status === undefined) return `network failure ${typeof code === "string" ? code : name}`.trim();
  return NAME.test(name) ? name : "unnamed error";
}
