import { UpstreamFault } from "../lib/upstream-fault.ts";

/**
 * What the SDK and `checkCredentials` say that helps and can hold no secret. Its other messages are not repeated: they can quote what an endpoint or a
 * program answered, and that may be half a key.
 */
const HARMLESS = [
  "Could not load credentials from any providers",
  "EC2 Instance Metadata Service access disabled",
  "no complete reply in time",
  "they have expired",
  "they are incomplete",
] as const;

/** Why credentials could not be loaded, as the rest of the service knows faults. */
export function toCredentialsFault(error: unknown): UpstreamFault {
  return new UpstreamFault("upstream-unavailable", `load AWS credentials: ${reasonOf(error)}`, {
    upstream: "aws-credentials",
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const status = /\bstatus: (\d{3})\b/.exec(error.message)?.[1];
  if (status !== undefined) return `status ${status}`;
  const harmless = HARMLESS.find((text) => error.message.includes(text));
  if (harmless !== undefined) return harmless;
  const code =
    "code" in error && typeof error.code === "string" ? error.code : /\bE[A-Z]{4,15}\b/.exec(error.message)?.[0];
  return code === undefined ? error.name : `network failure ${code}`;
}
