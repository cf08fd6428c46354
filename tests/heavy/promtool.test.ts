import { beforeAll, expect, test } from "bun:test";
import { observabilityFile, readRules, readRuleTests } from "../support/observability.ts";

const RULES = observabilityFile("prometheus/rules.yaml");
const TESTS = observabilityFile("prometheus/rules.test.yaml");

/** Debian's package `prometheus` brings promtool. Its server is not started: the tests need none. */
beforeAll(() => {
  if (Bun.which("promtool") !== null) return;
  const how = "the tests of the Prometheus rules need promtool (Debian: apt-get install prometheus)";
  if (Bun.which("apt-get") === null || process.getuid?.() !== 0) throw new Error(how);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  Bun.spawnSync(["apt-get", "update", "-qq"], { env });
  Bun.spawnSync(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "prometheus"], { env });
  if (Bun.which("promtool") === null) throw new Error(`${how}: apt-get could not install it`);
}, 300_000);

function promtool(...parameters: string[]): { code: number; said: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["promtool", ...parameters]);
  return { code: exitCode, said: `${stdout.toString()}${stderr.toString()}` };
}

test("promtool finds nothing wrong with the rules", () => {
  const { code, said } = promtool("check", "rules", RULES);
  expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining(`${readRules().length} rules found`) });
});

test("every alert fires under its series, and is silent under the others", () => {
  const { code, said } = promtool("test", "rules", TESTS);
  console.log(`promtool: ${readRuleTests().length} tests of ${readRules().filter(({ alert }) => alert).length} alerts`);
  expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining("SUCCESS") });
}, 300_000);

test("a rule that never fires would be found", async () => {
  const spoilt = `${observabilityFile("prometheus")}/.spoilt-rules.yaml`;
  const tests = `${observabilityFile("prometheus")}/.spoilt-rules.test.yaml`;
  try {
    await Bun.write(
      spoilt,
      (await Bun.file(RULES).text()).replace("profile_age_seconds) > 1800", "profile_age_seconds) > 1e12"),
    );
    await Bun.write(tests, (await Bun.file(TESTS).text()).replace("- rules.yaml", "- .spoilt-rules.yaml"));
    const { code, said } = promtool("test", "rules", tests);
    expect(code).not.toBe(0);
    expect(said).toContain("ChinminaPolicyStale");
  } finally {
    await Bun.file(spoilt).delete();
    await Bun.file(tests).delete();
  }
}, 300_000);
