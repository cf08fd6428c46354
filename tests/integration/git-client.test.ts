import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { POLICY_LOCATION } from "../../src/simulator/default-world.ts";
import { startGitServer } from "../../src/simulator/git-server.ts";
import { createCertificateAuthority } from "../support/valkey/certificates.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

/**
 * git itself, with a credential helper that asks as the Buildkite plugin does (curl, text/plain), cloning from and pushing to an https server
 * that takes nothing but live installation tokens.
 */
let world: TestWorld;
let folder: string;
let host: string;
let front: Bun.Server<undefined>;
let gitServer: Awaited<ReturnType<typeof startGitServer>>;
const authority = createCertificateAuthority();

beforeAll(async () => {
  process.env["BRIDGE_UNDER_TEST"] = "binary";
  folder = await mkdtemp(join(tmpdir(), "git-client-"));
  const { cert, key } = authority.issue("git", ["localhost"]);
  front = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert, key },
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.arrayBuffer();
      return fetch(gitServer.url + pathname + search, {
        method: request.method,
        headers: request.headers,
        ...(body.byteLength > 0 ? { body } : {}),
        decompress: false,
      });
    },
  });
  host = `localhost:${front.port}`;
  world = await startWorld({ GITHUB_ORG_PROFILE: POLICY_LOCATION, GITHUB_URL: `https://${host}` });
  for (const slug of ["widget", "gadget"])
    world.simulator.pipeline(slug).repository = `https://${host}/acme/${slug}.git`;
  gitServer = await startGitServer(world.simulator, join(folder, "served"));
  await writeFile(
    join(folder, "helper"),
    `#!/bin/sh
[ "$1" = get ] || exit 0
curl -sS --fail-with-body -X POST -H "Authorization: Bearer $JWT" -H "Content-Type: text/plain" -H "Accept: text/plain" --data-binary @- "$BRIDGE_URL/git-credentials$PROFILE"
`,
  );
  await chmod(join(folder, "helper"), 0o755);
});
afterAll(async () => {
  await gitServer[Symbol.asyncDispose]();
  await front.stop(true);
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function git(
  argv: readonly string[],
  more: { profile?: string; input?: string; claims?: Record<string, unknown> } = {},
) {
  const child = Bun.spawn(
    [
      "git",
      "-c",
      "credential.helper=",
      "-c",
      `credential.helper=${join(folder, "helper")}`,
      "-c",
      "credential.useHttpPath=true",
      ...argv,
    ],
    {
      cwd: folder,
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: folder,
        GIT_TERMINAL_PROMPT: "0",
        GIT_SSL_CAINFO: authority.caFile,
        GIT_AUTHOR_NAME: "t",
        GIT_AUTHOR_EMAIL: "t@t",
        GIT_COMMITTER_NAME: "t",
        GIT_COMMITTER_EMAIL: "t@t",
        BRIDGE_URL: world.bridge.url,
        JWT: world.jwt(more.claims ?? {}),
        PROFILE: more.profile ?? "",
      },
      stdin: new Blob([more.input ?? ""]),
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}

describe("git as a client", () => {
  test("git credential fill gets the user name and the token", async () => {
    const { out } = await git(["credential", "fill"], {
      input: `protocol=https\nhost=${host}\npath=acme/widget.git\n\n`,
    });
    expect(out).toContain("username=x-access-token\npassword=ghs_");
    expect(out).toContain("path=acme/widget.git");
  });

  test("git clone works for the pipeline's repository, LFS-style paths included, and for no other", async () => {
    expect(await git(["clone", "--quiet", `https://${host}/acme/widget.git`, "widget"])).toMatchObject({ code: 0 });
    expect(await readFile(join(folder, "widget/README.md"), "utf8")).toBe("# widget\n");
    const lfs = await git(["credential", "fill"], {
      input: `protocol=https\nhost=${host}\npath=acme/widget.git/info/lfs\n\n`,
    });
    expect(lfs.out).toContain("password=ghs_");
    expect((await git(["clone", "--quiet", `https://${host}/acme/gadget.git`, "gadget"])).code).not.toBe(0);
  });

  test("git push needs a profile that writes", async () => {
    const work = ["-C", "widget"];
    await writeFile(join(folder, "widget/new.txt"), "new\n");
    await git([...work, "add", "new.txt"]);
    expect(await git([...work, "commit", "--quiet", "-m", "new"])).toMatchObject({ code: 0 });
    expect((await git([...work, "push", "--quiet", "origin", "HEAD:main"])).code).not.toBe(0);
    expect(
      await git([...work, "push", "--quiet", "origin", "HEAD:main"], { profile: "/release-publisher" }),
    ).toMatchObject({ code: 0 });
    const elsewhere = await git([...work, "push", "--quiet", "origin", "HEAD:x"], {
      profile: "/release-publisher",
      claims: { build_branch: "dev" },
    });
    expect(elsewhere.code).not.toBe(0);
  });
});
