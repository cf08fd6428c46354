import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { POLICY_LOCATION } from "../../src/simulator/default-world.ts";
import { startWorld } from "../support/world.ts";

const ROOT = join(import.meta.dir, "../..");
const VENV = join(ROOT, ".tools/schemathesis");
const VERSION = "4.32.5";

async function install(): Promise<void> {
  if (existsSync(join(VENV, "bin/schemathesis"))) return;
  for (const command of [
    ["python3", "-m", "venv", VENV],
    [join(VENV, "bin/pip"), "install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`],
  ]) {
    const child = Bun.spawn(command, { stdout: "ignore", stderr: "pipe" });
    if ((await child.exited) !== 0)
      throw new Error(`schemathesis could not be installed: ${await new Response(child.stderr).text()}`);
  }
}

test("schemathesis finds no undocumented answer, wrong type or schema violation over 10,000 generated requests", async () => {
  await install();
  await using world = await startWorld({
    GITHUB_ORG_PROFILE: POLICY_LOCATION,
    CALLER_UPSTREAM_CALLS_PER_MINUTE: "1000000",
  });
  const before = world.bridge.audit.length;
  const child = Bun.spawn(
    [
      join(VENV, "bin/schemathesis"),
      "run",
      join(ROOT, "docs/openapi.yaml"),
      "--url",
      world.bridge.url,
      "--phases",
      "fuzzing",
      "--max-examples",
      "1600",
      "--continue-on-failure",
      "--checks",
      "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance",
      "--header",
      `Authorization: Bearer ${world.jwt()}`,
      "--seed",
      "1",
    ],
    { cwd: VENV, env: { PATH: process.env["PATH"] ?? "", HOME: VENV, NO_COLOR: "1" }, stdout: "pipe", stderr: "pipe" },
  );
  const output = await new Response(child.stdout).text();
  expect({ code: await child.exited, output: output.slice(-3000) }).toMatchObject({ code: 0 });
  expect(world.bridge.audit.length - before).toBeGreaterThan(5_000);
}, 600_000);
