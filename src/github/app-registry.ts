import { BridgeError, describeCauses } from "../lib/bridge-error.ts";
import type { Cancel, Clock } from "../lib/clock.ts";
import { isOutage } from "../lib/upstream-verdict.ts";
import type { GitHubApp } from "./app.ts";
import type { InstallationAccount } from "./installations.ts";

const CHECK_AGAIN_AFTER_MS = 60 * 60 * 1000;
/** After a failure to reach GitHub. */
const RETRY_AFTER_MS = 60 * 1000;

export interface RegisteredApp {
  readonly app: GitHubApp;
  readonly readAccount: () => Promise<InstallationAccount | undefined>;
}

/** How an App stands after a check. */
export interface AppStanding {
  readonly app: GitHubApp;
  readonly organization: string | undefined;
  /** Absent when the App may be used. */
  readonly disabledReason: string | undefined;
}

export interface AppRegistryOptions {
  readonly defaultApp: RegisteredApp;
  readonly others: readonly RegisteredApp[];
  readonly clock: Clock;
  /** Told of every App at the first check, and of those whose standing has changed at later ones. */
  readonly observe: (standing: AppStanding) => void;
}

/** The Apps that may mint at this moment. */
export interface AppRegistry extends Disposable {
  /** Undefined for a name that is not configured and for an App that is out of use. */
  readonly find: (name: string) => GitHubApp | undefined;
  /** Asks GitHub about every App at once, then hourly. Without other Apps it asks nothing. Throws when the default's does not answer. */
  readonly start: () => Promise<void>;
}

/**
 * An App may be used while its installation can be read and sits on the very account of the default App's. Account ids decide: a
 * login can be given up by one account and taken over by another.
 *
 * While GitHub cannot be reached, each App stands as it stood.
 */
export function createAppRegistry({ defaultApp, others, clock, observe }: AppRegistryOptions): AppRegistry {
  const standings = new Map<string, AppStanding>();
  let cancel: Cancel | undefined;

  const note = (standing: AppStanding): void => {
    const before = standings.get(standing.app.name);
    standings.set(standing.app.name, standing);
    if (before?.disabledReason !== standing.disabledReason || before?.organization !== standing.organization)
      observe(standing);
  };

  const check = async (): Promise<boolean> => {
    const [ours, ...theirs] = await Promise.all([defaultApp, ...others].map(ask));
    if (ours?.kind !== "account") {
      throw new BridgeError("default-app-unusable", "the default App's installation cannot be read", {
        cause: ours?.error,
      });
    }
    note({ app: defaultApp.app, organization: ours.account?.login, disabledReason: undefined });
    let allReached = true;
    for (const [index, one] of others.entries()) {
      const answer = theirs[index];
      if (answer === undefined) continue;
      if (answer.kind === "unreachable" && standings.has(one.app.name)) allReached = false;
      else note(judge(one.app, answer, ours.account));
    }
    return allReached && theirs.every((answer) => answer.kind !== "unreachable");
  };

  const checkAgain = async (): Promise<void> => {
    const reached = await check().catch(() => false);
    cancel = clock.after(reached ? CHECK_AGAIN_AFTER_MS : RETRY_AFTER_MS, () => void checkAgain());
  };

  return {
    find: (name) => {
      if (name === defaultApp.app.name) return defaultApp.app;
      const standing = standings.get(name);
      return standing?.disabledReason === undefined ? standing?.app : undefined;
    },
    start: async () => {
      if (others.length === 0) return;
      const reached = await check();
      cancel = clock.after(reached ? CHECK_AGAIN_AFTER_MS : RETRY_AFTER_MS, () => void checkAgain());
    },
    [Symbol.dispose]: () => cancel?.(),
  };
}

type Answer =
  | { readonly kind: "account"; readonly account: InstallationAccount | undefined }
  | { readonly kind: "refused"; readonly error: unknown }
  | { readonly kind: "unreachable"; readonly error: unknown };

async function ask({ readAccount }: RegisteredApp): Promise<Answer> {
  try {
    return { kind: "account", account: await readAccount() };
  } catch (error) {
    return { kind: isOutage(error) ? "unreachable" : "refused", error };
  }
}

function judge(app: GitHubApp, answer: Answer, ours: InstallationAccount | undefined): AppStanding {
  const standing = (organization: string | undefined, disabledReason: string | undefined): AppStanding => ({
    app,
    organization,
    disabledReason,
  });
  if (answer.kind !== "account")
    return standing(undefined, `its installation cannot be read: ${describeCauses(answer.error)}`);
  const { account } = answer;
  if (account === undefined) return standing(undefined, "its installation has no account");
  if (account.type !== "User" && account.type !== "Organization") {
    return standing(account.login, "its installation sits on neither a user nor an organization");
  }
  if (account.id !== ours?.id)
    return standing(account.login, "its installation sits on another account than the default App's");
  return standing(account.login, undefined);
}
