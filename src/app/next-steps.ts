import type { KeysetFailureCode } from "../keyset/keyset-failure.ts";
import type { UpstreamFaultCode } from "../lib/upstream-fault.ts";
import type { KeysetErrorCode } from "../tink/keyset-error.ts";

/** Faults that end a start, or a command that says nothing more fitting itself. */
type FaultCode =
  | UpstreamFaultCode
  | KeysetFailureCode
  | KeysetErrorCode
  | "default-app-unusable"
  | "grant-too-wide"
  | "invalid-jwks"
  | "invalid-private-key"
  | "no-region"
  | "port-unusable"
  | "profile-file-unreadable"
  | "telemetry-unusable"
  | "unexpected"
  | "unreadable-file"
  | "valkey-unavailable";

const DOCTOR = "chinmina-bridge doctor asks everything that the service depends on, and tells what to do";
const VERIFY = "chinmina-bridge keyset verify names the step and what to do";
const LIST = "chinmina-bridge keyset list shows the keys";

const NEXT_STEPS: Readonly<Record<FaultCode, string>> = {
  "upstream-unavailable": DOCTOR,
  "upstream-refused": DOCTOR,
  "upstream-malformed": DOCTOR,
  "keyset-unavailable": VERIFY,
  "keyset-absent": "chinmina-bridge keyset create makes a keyset there",
  "keyset-refused": VERIFY,
  "keyset-exists": "--replace overwrites it; entries sealed under it are then fetched again from GitHub",
  "keyset-too-large": "chinmina-bridge keyset delete-key takes keys out that are disabled and no longer needed",
  "keyset-conflict": "run the command again",
  "keyset-malformed": VERIFY,
  "keyset-wrong-kind": VERIFY,
  "keyset-invalid": VERIFY,
  "key-invalid": VERIFY,
  "key-unsupported": VERIFY,
  "key-not-found": LIST,
  "key-is-primary": "chinmina-bridge keyset promote-key makes another key the primary one",
  "key-not-enabled": "chinmina-bridge keyset enable-key puts it back in use",
  "key-destroyed": LIST,
  "default-app-unusable": DOCTOR,
  "grant-too-wide": "look at the owner in GITHUB_ORG_PROFILE, and at GITHUB_API_URL",
  "invalid-jwks": "chinmina-bridge config check tells what is accepted",
  "invalid-private-key": "chinmina-bridge config check tells what is accepted",
  "no-region": "set AWS_REGION to the region of the cache",
  "port-unusable": "choose another SERVER_PORT or SERVER_HOST, or stop what listens there",
  "profile-file-unreadable": "look at the path in PROFILE_FILE, and that the service may read it",
  "telemetry-unusable":
    "look at the URL in OTEL_EXPORTER_OTLP_ENDPOINT and the names and values in OTEL_EXPORTER_OTLP_HEADERS",
  unexpected: "this is a fault of the program: report it with this line and the output of chinmina-bridge version",
  "valkey-unavailable": DOCTOR,
  "unreadable-file": "let VALKEY_TLS_CA_FILE name a readable file of PEM certificates",
};

const STEPS: ReadonlyMap<string, string> = new Map(Object.entries(NEXT_STEPS));

/** What to try after a fault with this code. There is always something. */
export function nextStepFor(code: string): string {
  return STEPS.get(code) ?? DOCTOR;
}
