import { createPolicySource } from "../app/policy.ts";
import type { Configuration } from "../config/configuration.ts";
import type { GitHubClient } from "../github/client.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import { UpstreamFault } from "../lib/upstream-fault.ts";
import { compileFile } from "../profiles/compile.ts";
import { defaultPolicy } from "../profiles/default-policy.ts";
import type { Finding as FileFinding } from "../profiles/finding.ts";
import { inspectDangers } from "../profiles/inspect-dangers.ts";
import { inspectPolicy } from "../profiles/inspect.ts";
import { DEFAULT_APP, type PolicyGeneration } from "../profiles/policy.ts";
import { REMEDIES } from "../profiles/remedies.ts";
import type { AppConnection } from "../vending/mint.ts";
import { borrowTokens } from "./borrowed-tokens.ts";
import { type Check, failed, type Finding, ok, problem } from "./check.ts";
import { examine, type Explain } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";
import type { ProblemCode } from "./remedies.ts";

/** Nobody reads more; `profiles check` tells them all. */
const MOST_FINDINGS = 20;

export interface ProfileCheckOptions {
  readonly configuration: Pick<Configuration, "profiles">;
  readonly client: GitHubClient;
  /** Of the default App. */
  readonly connection: AppConnection;
  readonly isAppUsable: (name: string) => boolean;
  readonly clock: Clock;
}

/** Whether the service would have a policy, and what there is to say about it. The value is the policy that would be in force. */
export async function checkProfiles(
  options: ProfileCheckOptions,
): Promise<{ readonly check: Check; readonly value: PolicyGeneration | undefined }> {
  const { configuration, clock } = options;
  const { source } = configuration.profiles;
  return examine("profile file", clock, async ({ run, skip }) => {
    if (source.kind === "none") {
      skip("read", "none is configured: every pipeline may read its own repository, and there is nothing else");
      return defaultPolicy;
    }
    const place = source.kind === "file" ? source.path : `${source.owner}/${source.repository}, ${source.path}`;
    if (source.kind === "github" && !options.isAppUsable(DEFAULT_APP)) {
      skip("read", "the default App, which reads it, cannot be used");
      return undefined;
    }
    const bytes = await run("read", (signal) => read(options, place, signal), explainReading);
    if (bytes === undefined) {
      skip("profiles", "the file cannot be read");
      return undefined;
    }
    const policyRepository = source.kind === "github" ? source.repository : undefined;
    return run("profiles", () => Promise.resolve(judge(bytes, options.isAppUsable, policyRepository)));
  });
}

async function read(
  { configuration, client, connection, clock }: ProfileCheckOptions,
  place: string,
  signal: AbortSignal,
): Promise<Finding<Uint8Array>> {
  await using borrowed = borrowTokens(connection);
  const source = createPolicySource(configuration, { client, connection: borrowed.connection }, clock);
  const reply = await source?.fetch({ signal });
  if (reply?.kind !== "file") throw new TypeError("whoever names no earlier reading is given the file");
  return ok(`${place}, ${reply.bytes.byteLength} bytes`, reply.bytes);
}

const explainReading: Explain = (error) => {
  if (error instanceof BridgeError && error.code === "profile-file-unreadable")
    return failed("profile-file-unreadable", error.message);
  if (error instanceof BridgeError && error.code === "grant-too-wide") return failed("grant-too-wide", error.message);
  const isToken = error instanceof UpstreamFault && error.message.includes("create installation token");
  return explainFault({
    unavailable: "github-unavailable",
    refused: isToken ? "policy-repository-refused" : "profile-file-not-found",
    malformed: isToken ? "github-malformed" : "profile-file-unreadable",
  })(error);
};

function judge(
  bytes: Uint8Array,
  isAppUsable: (name: string) => boolean,
  policyRepository: string | undefined,
): Finding<PolicyGeneration> {
  const compilation = compileFile(bytes, "");
  if (compilation.kind === "refused") {
    const [first] = compilation.findings;
    const what = first === undefined ? "" : `: ${placeOf(first)} ${first.message} [${first.code}]`;
    return failed("profile-file-refused", `${compilation.findings.length} problems with the whole file${what}`);
  }
  const { findings, counts } = inspectPolicy(compilation.policy, isAppUsable);
  const dangers = inspectDangers(compilation.policy, { isAppUsable, policyRepository });
  const all = [...findings, ...dangers];
  const shown = all.slice(0, MOST_FINDINGS).map((finding) => toCheck(finding));
  const valid = counts.pipeline.valid + counts.organization.valid;
  const invalid = counts.pipeline.invalid + counts.organization.invalid;
  const more = all.length > shown.length ? `; ${all.length - shown.length} findings more than are shown` : "";
  const detail = `${valid} can be used beside the default, ${invalid} cannot${more}`;
  return ok(detail, compilation.policy.generation, shown);
}

function toCheck(finding: FileFinding): Check {
  const { severity, code, message, profile } = finding;
  const own: ProblemCode = severity === "error" ? "profile-unavailable" : "profile-warning";
  const whose = profile === undefined ? "" : ` (${profile})`;
  const outcome = severity === "error" ? "failed" : "warning";
  return problem(placeOf(finding), outcome, own, `${message} [${code}]${whose}`, REMEDIES[code]);
}

function placeOf({ line, column }: FileFinding): string {
  return `${line}:${column}`;
}
