import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createPublicKey, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const MAIN = join(import.meta.dir, "../../../src/simulator/main.ts");

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "simulator 'main'-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

function spawnMain(...parameters: readonly string[]) {
  return Bun.spawn([process.execPath, MAIN, ...parameters], { stdout: "pipe", stderr: "pipe" });
}

async function start(...parameters: readonly string[]) {
  const child = spawnMain("--directory", directory, ...parameters);
  let line = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    line += chunk;
    if (line.includes("\n")) break;
  }
  return { child, announced: JSON.parse(line) };
}

describe("the simulator as a process", () => {
  test("announces its world, serves jobs their tokens through a buildkite-agent in PATH, and ends on SIGTERM", async () => {
    const { child, announced } = await start("--audience", "the-bridge");
    try {
      const { environment, urls, agent, jobs } = announced;
      expect(environment).toMatchObject({
        JWT_ISSUER_URL: urls.oidc,
        JWT_AUDIENCE: "the-bridge",
        GITHUB_API_URL: urls.github,
      });
      expect(environment).not.toHaveProperty("GITHUB_APP_PRIVATE_KEY");
      expect(readFileSync(environment.GITHUB_APP_PRIVATE_KEY_FILE, "utf8")).toStartWith(
        "-----BEGIN RSA PRIVATE KEY-----",
      );
      expect(statSync(environment.GITHUB_APP_PRIVATE_KEY_FILE).mode & 0o777).toBe(0o600);

      const { pipeline, ...jobEnvironment } = jobs[0];
      expect(pipeline).toBe("widget");
      const runAgent = (parameters: readonly string[], input = "", env: Record<string, string> = jobEnvironment) =>
        Bun.spawnSync(["buildkite-agent", ...parameters], {
          env: { ...env, PATH: `${dirname(agent)}:/usr/bin:/bin` },
          stdin: Buffer.from(input),
        });

      const asked = runAgent(["oidc", "request-token", "--claim", "pipeline_id,queue_key", "--audience", "the-bridge"]);
      const token = asked.stdout.toString();
      expect({ exitCode: asked.exitCode, errors: asked.stderr.toString() }).toEqual({ exitCode: 0, errors: "" });
      const [header = "", payload = "", signature = ""] = token.trim().split(".");
      expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toMatchObject({
        iss: urls.oidc,
        aud: "the-bridge",
        pipeline_slug: "widget",
        queue_key: "default",
      });
      const keySet = JSON.parse(await (await fetch(`${urls.oidc}/.well-known/jwks`)).text());
      const key = createPublicKey({ key: keySet.keys[0], format: "jwk" });
      const signed = Buffer.from(`${header}.${payload}`);
      expect(verify("sha256", signed, key, Buffer.from(signature, "base64url"))).toBe(true);

      expect(runAgent(["redactor", "add"], "a secret\n").exitCode).toBe(0);
      expect(runAgent(["oidc", "request-token"], "", {}).exitCode).toBe(1);
      expect(runAgent(["oidc", "request-token", "--unknown"]).exitCode).toBe(1);
      expect(runAgent(["artifact", "upload"]).exitCode).toBe(1);
    } finally {
      child.kill("SIGTERM");
    }
    expect(await child.exited).toBe(0);
  });

  test("names the second App when told", async () => {
    const { child, announced } = await start("--registry");
    child.kill("SIGTERM");
    expect(announced.environment.GITHUB_APPS).toContain('"appId":333');
    expect(await child.exited).toBe(0);
  });

  test.each([[[]], [["--directory"]], [["--directory", "unused", "--github-port", "70000"]], [["--unknown"]]])(
    "refuses %p with its usage",
    async (parameters) => {
      const child = spawnMain(...parameters);
      expect(await child.exited).toBe(1);
      expect(await new Response(child.stderr).text()).toContain("usage:");
    },
  );
});
