import { describe, expect, test } from "bun:test";
import { createAppRegistry, type AppStanding } from "../../../src/github/app-registry.ts";
import type { GitHubApp } from "../../../src/github/app.ts";
import type { InstallationAccount } from "../../../src/github/installations.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const ACME: InstallationAccount = { id: 1, login: "acme", type: "Organization" };
const unreachable = new UpstreamFault("upstream-unavailable", "read installation", { upstream: "github", status: 503 });
const refused = new UpstreamFault("upstream-refused", "read installation", { upstream: "github", status: 404 });

type Answer = InstallationAccount | undefined | Error;

function world(answers: Record<string, Answer>) {
  const clock = createFixedClock();
  const standings: AppStanding[] = [];
  const asked: string[] = [];
  const register = (name: string) => {
    const app: GitHubApp = {
      name,
      appId: name.length,
      installationId: 1,
      signer: { sign: () => Promise.reject(new Error("unused")) },
    };
    const readAccount = () => {
      asked.push(name);
      const answer = answers[name];
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    };
    return { app, readAccount };
  };
  const [first = "default", ...others] = Object.keys(answers);
  const registry = createAppRegistry({
    defaultApp: register(first),
    others: others.map(register),
    clock,
    observe: (standing) => standings.push(standing),
  });
  return { clock, registry, standings, asked, answers };
}

describe("the App registry", () => {
  test("without other Apps nothing is asked, and the default serves", async () => {
    const { registry, asked } = world({ default: ACME });
    await registry.start();
    expect(asked).toEqual([]);
    expect(registry.find("default")?.name).toBe("default");
    expect(registry.find("packages")).toBeUndefined();
  });

  test("an App on the default's account is in use, by the id of the account and not its name", async () => {
    const { registry } = world({
      default: ACME,
      renamed: { id: 1, login: "acme-inc", type: "Organization" },
      taken: { id: 2, login: "acme", type: "Organization" },
    });
    await registry.start();
    expect(registry.find("renamed")?.name).toBe("renamed");
    expect(registry.find("taken")).toBeUndefined();
  });

  test.each<[string, Answer]>([
    ["its installation cannot be read: github: read installation (status 404)", refused],
    ["its installation cannot be read: github: read installation (status 503)", unreachable],
    ["its installation has no account", undefined],
    ["its installation sits on neither a user nor an organization", { id: 1, login: "acme", type: "Enterprise" }],
    [
      "its installation sits on another account than the default App's",
      { id: 9, login: "globex", type: "Organization" },
    ],
  ])("an App is out of use when %s", async (reason, answer) => {
    const { registry, standings } = world({ default: ACME, packages: answer });
    await registry.start();
    expect(registry.find("packages")).toBeUndefined();
    expect(standings.map(({ app, disabledReason }) => [app.name, disabledReason])).toEqual([
      ["default", undefined],
      ["packages", reason],
    ]);
  });

  test.each([refused, unreachable])("when the default App cannot be read, the start fails", async (error) => {
    const { registry } = world({ default: error, packages: ACME });
    expect(await registry.start().catch((failure: unknown) => failure)).toMatchObject({ code: "default-app-unusable" });
  });

  test("an App goes and comes back at the hourly check, each told once", async () => {
    const { registry, clock, standings, answers } = world({ default: ACME, packages: ACME });
    await registry.start();
    answers["packages"] = refused;
    await clock.advanceAndSettle(60 * 60_000);
    expect(registry.find("packages")).toBeUndefined();
    answers["packages"] = ACME;
    await clock.advanceAndSettle(2 * 60 * 60_000);
    expect(registry.find("packages")?.name).toBe("packages");
    expect(
      standings.filter(({ app }) => app.name === "packages").map(({ disabledReason }) => disabledReason === undefined),
    ).toEqual([true, false, true]);
  });

  test("while GitHub cannot be reached every App stands as it stood, and is asked again every minute", async () => {
    const { registry, clock, asked, answers } = world({ default: ACME, packages: ACME });
    await registry.start();
    answers["default"] = unreachable;
    answers["packages"] = unreachable;
    await clock.advanceAndSettle(60 * 60_000);
    expect(registry.find("packages")?.name).toBe("packages");
    asked.length = 0;
    await clock.advanceAndSettle(3 * 60_000);
    expect(asked.filter((name) => name === "packages")).toHaveLength(3);
  });
});
