import { createHash } from "node:crypto";
import { describeCauses } from "../lib/bridge-error.ts";
import { unlessAborted } from "../lib/unless-aborted.ts";
import type { compileFile, CompiledPolicy } from "./compile.ts";
import type { Finding } from "./finding.ts";
import { inspectPolicy, type PolicyInspection } from "./inspect.ts";
import type { PolicyStore } from "./policy-store.ts";
import type { ProfileFileSource } from "./profile-file-source.ts";
import type { IsAppUsable } from "./resolve.ts";

/** What a changed file lost. Legal, and seldom meant. */
export type PolicyLoss = "turned-empty" | "lost-defaults";

export type RefreshOutcome =
  | {
      readonly kind: "refreshed";
      /** The digest in force before; absent at the first load. */
      readonly previousDigest?: string;
      readonly digest: string;
      /** What there is to say about the policy in force, at every refresh, changed or not. */
      readonly inspection: PolicyInspection;
      readonly losses: readonly PolicyLoss[];
    }
  /** The generation in force, if any, stays. */
  | { readonly kind: "failed"; readonly cause: "unreadable"; readonly message: string }
  | {
      readonly kind: "failed";
      readonly cause: "refused";
      readonly digest: string;
      readonly findings: readonly Finding[];
    };

export interface RefreshDependencies {
  readonly source: ProfileFileSource;
  readonly store: PolicyStore;
  readonly isAppUsable: IsAppUsable;
}

/**
 * Reads the file once and puts what it says in force. A file that was refused or could not be read changes nothing, not even
 * the ETag: the next refresh reads it in full again. The same bytes are the same generation, the very same object.
 */
export async function refreshOnce(dependencies: RefreshDependencies, signal: AbortSignal): Promise<RefreshOutcome> {
  const { source, store, isAppUsable } = dependencies;
  const before = store.inForce();
  // While the file is on its way: a service without one is spared the parsers.
  const loading = import("./compile.ts");
  try {
    const etag = before?.etag;
    // Whoever stops the service does not wait for a call that heeds no signal.
    const reply = await unlessAborted(
      source.fetch({ signal, ...(etag === undefined ? {} : { previousEtag: etag }) }),
      signal,
    );
    if (reply.kind === "unchanged") {
      if (before === undefined || etag === undefined) return unreadable("the source says unchanged, and was not asked");
      store.confirm(before);
      return refreshed(before.policy, before.policy, isAppUsable);
    }
    const digest = createHash("sha256").update(reply.bytes).digest("hex");
    const compilation: ReturnType<typeof compileFile> =
      before?.policy.generation.digest === digest
        ? { kind: "compiled", policy: before.policy }
        : (await loading).compileFile(reply.bytes, digest);
    if (compilation.kind === "refused") {
      return { kind: "failed", cause: "refused", digest, findings: compilation.findings };
    }
    store.confirm({ policy: compilation.policy, ...(reply.etag === undefined ? {} : { etag: reply.etag }) });
    return refreshed(before?.policy, compilation.policy, isAppUsable);
  } catch (error) {
    return unreadable(describeCauses(error));
  }
}

function unreadable(message: string): RefreshOutcome {
  return { kind: "failed", cause: "unreadable", message };
}

function refreshed(
  before: CompiledPolicy | undefined,
  policy: CompiledPolicy,
  isAppUsable: IsAppUsable,
): RefreshOutcome {
  return {
    kind: "refreshed",
    ...(before === undefined ? {} : { previousDigest: before.generation.digest }),
    digest: policy.generation.digest,
    inspection: inspectPolicy(policy, isAppUsable),
    losses: before === undefined ? [] : findLosses(before, policy),
  };
}

function findLosses(before: CompiledPolicy, after: CompiledPolicy): readonly PolicyLoss[] {
  const losses: PolicyLoss[] = [];
  if (isEmpty(after) && !isEmpty(before)) losses.push("turned-empty");
  if (before.declaresDefaults && !after.declaresDefaults) losses.push("lost-defaults");
  return losses;
}

function isEmpty({ entries, declaresDefaults }: CompiledPolicy): boolean {
  return entries.length === 0 && !declaresDefaults;
}
