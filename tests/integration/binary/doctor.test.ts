import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REMEDIES } from "../../../src/doctor/remedies.ts";
import { parseHeldPermissions } from "../../../src/permissions/held-permissions.ts";
import { generateSimulatorKeys, startSimulator, type Simulator } from "../../../src/simulator/simulator.ts";
import { PROVOCATIONS } from "../../support/doctor/provocations.ts";
import { PROGRAMS, runProgram } from "../../support/program.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { startMemoryServer } from "../../support/valkey/memory-server.ts";
import { writeKeysetFile } from "../../support/valkey/service-access.ts";

setDefaultTimeout(40_000);

const keys = await generateSimulatorKeys();
const authority = createCertificateAuthority();
const NO_AWS = { AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: "/none", AWS_SHARED_CREDENTIALS_FILE: "/none" };

type Variables = Readonly<Record<string, string | undefined>>;

function environmentOf(simulator: Simulator, changes: Variables = {}): Record<string, string> {
  const all = { ...NO_AWS, ...simulator.environment(), ...changes };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Every check of a report, those within others behind them. */
function flatten(checks: readonly any[]): readonly any[] {
  return checks.flatMap((check) => [check, ...flatten(check.checks ?? [])]);
}

const RANK = ["ok", "skipped", "warning", "failed"];

function expectWorstLast(checks: readonly any[]): void {
  const ranks = checks.map(({ outcome }) => RANK.indexOf(outcome));
  expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  for (const { checks: within } of checks) if (within !== undefined) expectWorstLast(within);
}

describe.each(PROGRAMS)("doctor of %s", (name, program) => {
  const provoked = new Set<string>();
  const doctor = (environment: Record<string, string>, ...options: string[]) =>
    runProgram(program, ["doctor", ...options], { environment });

  test.concurrent.each(Object.entries(PROVOCATIONS))("names %s, with what to do about it", async (code, provoke) => {
    await using stack = new AsyncDisposableStack();
    const simulator = stack.use(await startSimulator({ keys }));
    const environment = environmentOf(simulator, await provoke({ simulator, authority, stack }));
    const { code: status, out, err } = await doctor(environment, "--format", "json");
    const report = JSON.parse(out);
    const all = flatten(report.checks);
    const found = all.filter((check) => check.code === code);
    expect({ err, codes: all.map((check) => check.code) }).toEqual({ err: "", codes: expect.arrayContaining([code]) });
    for (const check of found) expect(check.remedy.length).toBeGreaterThan(10);
    const hasFailed = all.some(({ outcome }) => outcome === "failed");
    expect({ status, healthy: report.healthy }).toEqual({ status: hasFailed ? 1 : 0, healthy: !hasFailed });
    expectWorstLast(report.checks);
    expect(all.filter((check) => check.code === "unexpected")).toEqual([]);
    expectNoSecrets(out, environment, simulator);
    provoked.add(code);
  });

  afterAll(() => {
    const named = Object.keys(REMEDIES);
    console.log(`doctor of ${name}: ${provoked.size} failures provoked / ${named.length} named`);
  });

  test.concurrent(
    "finds nothing wrong with a world that is in order, mints nothing that can write, and leaves no token behind",
    async () => {
      await using simulator = await startSimulator({ keys });
      await using valkey = await startMemoryServer();
      using keyset = writeKeysetFile();
      const environment = environmentOf(simulator, {
        ...simulator.environment({ registry: true }),
        ...keyset.variables,
        CACHE_TYPE: "valkey",
        VALKEY_ADDRESS: `127.0.0.1:${valkey.port}`,
        VALKEY_TLS: "false",
        CACHE_KEY_PREFIX: "ours:",
      });
      const { code, out } = await doctor(environment);
      expect(out).not.toContain("FAILED");
      expect(code).toBe(0);
      const issued = simulator.github.issuedTokens();
      expect(issued.length).toBeGreaterThan(0);
      expect(
        issued.flatMap(({ permissions }) => Object.values(permissions)).filter((action) => action !== "read"),
      ).toEqual([]);
      expect(issued.filter(({ token }) => simulator.github.isLive(token))).toEqual([]);
      expect(valkey.entries.size).toBe(0);
      const used = valkey.commands.filter(([command]) => ["SET", "GET", "DEL", "PTTL"].includes(command ?? ""));
      expect(used.filter(([, key]) => key?.startsWith("ours:doctor:") !== true)).toEqual([]);
      expectNoSecrets(out, environment, simulator);
    },
  );

  test.concurrent(
    "asks with JWT_JWKS_STATIC no issuer, and without a profile file judges by the default profile",
    async () => {
      await using simulator = await startSimulator({ keys });
      const environment = environmentOf(simulator, {
        JWT_ISSUER_URL: "https://issuer.invalid",
        JWT_JWKS_STATIC: JSON.stringify({ keys: simulator.oidc.publishedKeys }),
        GITHUB_ORG_PROFILE: undefined,
      });
      const { code, out } = await doctor(environment);
      expect(out).toContain("skipped discovery document: JWT_JWKS_STATIC is used in its place");
      expect(out).toContain("ok permissions of App default");
      expect(code).toBe(0);
    },
  );

  test.concurrent("shows a person the tree, the remedy below each problem, and a sum at the end", async () => {
    await using simulator = await startSimulator({ keys });
    simulator.setPolicy("");
    const { code, out } = await doctor(environmentOf(simulator, { BUILDKITE_API_TOKEN: "wrong" }));
    const lines = out
      .replace(/\b\d+(?:\.\d+)? m?s\b/g, "TIME")
      .trimEnd()
      .split("\n");
    expect(lines.slice(-6)).toEqual([
      "FAILED Buildkite (TIME)",
      "├─ skipped pipelines of acme: the API token cannot ask for them",
      "└─ FAILED API token (TIME): buildkite: read API token (status 401) [buildkite-token-refused]",
      `      = ${REMEDIES["buildkite-token-refused"]}`,
      "",
      expect.stringMatching(
        /^1 failed, \d+ warning, 1 skipped, \d+ ok in TIME; docs\/errors\.md has an entry of each code$/,
      ),
    ]);
    expect(code).toBe(1);
  });

  test.concurrent(
    "--write-permissions keeps what profiles check reads, and nothing when an App cannot be asked",
    async () => {
      await using simulator = await startSimulator({ keys });
      const folder = mkdtempSync(join(tmpdir(), "doctor-"));
      const path = join(folder, "permissions.json");
      const environment = environmentOf(simulator, simulator.environment({ registry: true }));
      expect(await doctor(environment, "--write-permissions", path)).toMatchObject({ code: 0, err: `wrote ${path}\n` });
      const held = parseHeldPermissions(readFileSync(path, "utf8"));
      expect(held?.get("packages")).toEqual({ metadata: "read", contents: "read", packages: "write" });
      expect(held?.get("default")).toMatchObject({ contents: "write" });

      const elsewhere = join(folder, "nothing.json");
      const failing = await doctor({ ...environment, GITHUB_APP_ID: "333" }, "--write-permissions", elsewhere);
      expect(failing).toMatchObject({ code: 1, err: expect.stringContaining("was not written") });
      expect(existsSync(elsewhere)).toBe(false);
      const nowhere = await doctor(environment, "--write-permissions", join(folder, "none", "p.json"));
      expect(nowhere).toMatchObject({
        code: 1,
        err: expect.stringMatching(/cannot be written \(ENOENT\) \[file-unwritable\]\n.*folder/),
      });
    },
  );

  test.concurrent("--write-permissions takes the place of a file alone, never of a pipe or a device", async () => {
    await using simulator = await startSimulator({ keys });
    const folder = mkdtempSync(join(tmpdir(), "doctor-"));
    const pipe = join(folder, "pipe");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    const refused = await doctor(environmentOf(simulator), "--write-permissions", pipe);
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining("(no regular file) [file-unwritable]") });
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    expect(readdirSync(folder)).toEqual(["pipe"]);
  });

  test.concurrent("ends in 15 seconds when an upstream hangs, and tells of the others", async () => {
    await using simulator = await startSimulator({ keys });
    simulator.interceptor = (_request, upstream) =>
      upstream === "github" ? new Promise<Response>(() => undefined) : undefined;
    const startedMs = performance.now();
    const { code, out } = await doctor(environmentOf(simulator), "--format", "json");
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    const all = flatten(JSON.parse(out).checks);
    expect(all.find(({ name: checked }) => checked === "App 111")).toMatchObject({ code: "github-unavailable" });
    expect(all.find(({ name: checked }) => checked === "Buildkite")).toMatchObject({ outcome: "ok" });
    expect(code).toBe(1);
  });
});

test("what a doctor names is provoked, but for a fault of its own", () => {
  expect(Object.keys(REMEDIES).filter((code) => !(code in PROVOCATIONS))).toEqual(["unexpected"]);
});

function expectNoSecrets(out: string, environment: Record<string, string>, simulator: Simulator): void {
  const secrets = ["canary", environment["GITHUB_APP_PRIVATE_KEY"] ?? "-----BEGIN", "-----BEGIN", "eyJ"];
  for (const secret of [...secrets, ...simulator.github.issuedTokens().map(({ token }) => token)])
    expect(out).not.toContain(secret);
  const token = environment["BUILDKITE_API_TOKEN"];
  if (token !== undefined && token !== "wrong") expect(out).not.toContain(token);
}
