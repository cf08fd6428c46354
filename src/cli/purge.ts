import { describeIamProblems } from "../app/iam-tokens.ts";
import { orderPurgeAt } from "../app/order-purge.ts";
import { findSharedCache, type SharedCacheSource } from "../config/shared-cache-source.ts";
import { BridgeError, describeCauses } from "../lib/bridge-error.ts";
import type { Purge } from "../purge/marker.ts";
import { createJsonLogger } from "../telemetry/logger.ts";
import { FORMAT_OPTION, type Command, type CommandIo } from "./command.ts";
import { CommandFailure } from "./failure.ts";
import { printable } from "./printable.ts";
import { withProgress } from "./progress.ts";
import { readGitHubSeconds } from "./purge/github-time.ts";
import { readScope, resolveScope, SCOPE_OPTIONS } from "./purge/purge-options.ts";
import { reportPurge } from "./purge/report.ts";

/**
 * `purge`: takes cached tokens back, as every instance is told through the cache that they share. JSON
 * `{"id", "scope": {"kind", …}, "issuedBefore", "noticedBy", "expiredBy", "encrypted", "keyPrefix"}`. Who shares the cache and keeps its
 * entries in another form, or under another prefix, is not told and cannot be seen from here.
 */
export const purge: Command = {
  options: [...SCOPE_OPTIONS, FORMAT_OPTION],
  examples: [
    "chinmina-bridge purge --pipeline 0190aaaa-0000-4000-8000-000000000001",
    "chinmina-bridge purge --profile org:plugins",
    "chinmina-bridge purge --all",
  ],
  run: async (invocation, io) => {
    const asked = readScope(invocation);
    const source = findSource(io, asked.kind === "app");
    const scope = resolveScope(asked, source.apps);
    const ordered = await withProgress("ordering the purge", io, async () => {
      const made: Purge = { id: crypto.randomUUID(), scope, issuedBeforeEpochSeconds: await thisSecond(source, io) };
      await order(made, source, io);
      return made;
    });
    await io.out.write(reportPurge(ordered, source.valkey, invocation.text("format") === "json"));
    return 0;
  },
};

function findSource({ environment }: CommandIo, withApps: boolean): SharedCacheSource {
  const found = findSharedCache(environment, { iam: describeIamProblems, withApps });
  if (found.kind === "found") return found.source;
  const [first, ...more] = found.problems;
  const rest =
    more.length === 0 ? "" : `; and ${more.map(({ variable, problem }) => `${variable} ${problem}`).join("; ")}`;
  throw new CommandFailure(`${first?.variable ?? "the environment"} ${first?.problem ?? "is incomplete"}${rest}`, {
    code: "configuration-invalid",
    advice: "purge takes the variables that serve has: run it where they are set",
  });
}

/** The end of the second that it is at GitHub, since it dates its tokens in whole seconds. */
async function thisSecond({ gitHubApiUrl }: SharedCacheSource, { fetch, clock, err }: CommandIo): Promise<number> {
  const gitHubSeconds = await readGitHubSeconds(gitHubApiUrl, fetch);
  if (gitHubSeconds !== undefined) return gitHubSeconds + 1;
  await err.write(
    "warning: GitHub does not tell the time, so this machine's clock counts: if it is slow, tokens of that time are missed\n",
  );
  return Math.floor(clock.nowMs() / 1000) + 1;
}

async function order(made: Purge, { valkey }: SharedCacheSource, { clock, err }: CommandIo): Promise<void> {
  // What the stages would log is in the failure already.
  const logger = createJsonLogger("error", clock.nowMs, () => undefined);
  const outcome = await orderPurgeAt(valkey, made, { clock, logger }).catch((cause: unknown) => {
    if (!(cause instanceof BridgeError)) throw cause;
    throw new CommandFailure(printable(describeCauses(cause)), {
      code: "purge-not-ordered",
      advice: "nothing was purged; suspending the App's installation at GitHub stops every token at once",
      cause,
    });
  });
  switch (outcome.kind) {
    case "full":
      throw new CommandFailure("the last hour had as many purges as there may be", {
        code: "purges-full",
        advice: "purge --all takes them all in",
      });
    case "busy":
      throw new CommandFailure("another purge is being ordered", { code: "purge-busy", advice: "run it again" });
    case "ordered":
      if (outcome.replaced !== undefined)
        await err.write(
          `warning: there was a purge marker that cannot be read (${outcome.replaced}); purges of the last hour are unknown to instances that start from now on\n`,
        );
  }
}
