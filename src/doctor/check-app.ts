import type { ConnectedApp } from "../app/connected-app.ts";
import { readAppIdentity } from "../github/app-identity.ts";
import type { GitHubClient } from "../github/client.ts";
import { readInstallation, type Installation, type InstallationAccount } from "../github/installations.ts";
import type { Clock } from "../lib/clock.ts";
import { type Check, failed, type Finding, ok } from "./check.ts";
import { examine } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";

const UNREACHABLE = { unavailable: "github-unavailable", malformed: "github-malformed" } as const;

const explainSignature = explainFault({
  unavailable: "kms-unavailable",
  refused: "kms-refused",
  malformed: "kms-malformed",
});

const explainIdentity = explainFault({
  ...UNREACHABLE,
  refused: "github-refused",
  byStatus: new Map([[401, "app-refused"]]),
});

const explainInstallation = explainFault({
  ...UNREACHABLE,
  refused: "github-refused",
  byStatus: new Map([
    [401, "app-refused"],
    [404, "installation-not-found"],
  ]),
});

/** An App that could make tokens now. */
export interface UsableApp {
  readonly connected: ConnectedApp;
  readonly installation: Installation;
  readonly account: InstallationAccount;
}

export interface AppCheckOptions {
  readonly client: GitHubClient;
  readonly clock: Clock;
  /** Whom the default App is installed on, once known; absent for the default App itself. */
  readonly ours?: Promise<InstallationAccount | undefined>;
}

/** Whether an App could make tokens: its signature, whether GitHub accepts it, and its installation. */
export async function checkApp(
  connected: ConnectedApp,
  { client, clock, ours }: AppCheckOptions,
): Promise<{ readonly check: Check; readonly value: UsableApp | undefined }> {
  const { app, appJwt } = connected;
  return examine(`GitHub App ${app.name}`, clock, async ({ run, skip }) => {
    const installationName = `installation ${app.installationId}`;
    const jwt = await run("signature", async () => ok("the key signs", await appJwt.current()), explainSignature);
    if (jwt === undefined) {
      skip(`App ${app.appId}`, "there is no signature to show GitHub");
      skip(installationName, "there is no signature to show GitHub");
      return undefined;
    }
    const identity = await run(
      `App ${app.appId}`,
      async () => {
        const found = await readAppIdentity(client, appJwt);
        return ok(`GitHub accepts it as ${found.slug}`, found);
      },
      explainIdentity,
    );
    if (identity === undefined) {
      skip(installationName, "GitHub does not know who asks");
      return undefined;
    }
    const usable = await run(
      installationName,
      async () => {
        const installation = await readInstallation(client, app, appJwt);
        return judge(connected, installation, await ours);
      },
      explainInstallation,
    );
    return usable;
  });
}

function judge(
  connected: ConnectedApp,
  installation: Installation,
  ours: InstallationAccount | undefined,
): Finding<UsableApp> {
  const { account, isSuspended, permissions, reachesAll } = installation;
  if (account === undefined) return failed("installation-without-account", "it has no account");
  const where = `on ${account.login}`;
  if (account.type !== "Organization" && account.type !== "User")
    return failed("installation-without-account", `${where}, which is neither an organization nor a user`);
  if (isSuspended) return failed("installation-suspended", `${where}, suspended`);
  if (ours !== undefined && ours.id !== account.id)
    return failed("installation-of-another-account", `${where}, and the default App is on ${ours.login}`);
  const held = Object.entries(permissions).map(([field, action]) => `${field}:${action}`);
  const reach = reachesAll ? "all repositories" : "selected repositories";
  return ok(`${where}, ${reach}, ${held.join(" ")}`, { connected, installation, account });
}
