import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { signJwt } from "../../../src/simulator/compact-jwt.ts";
import {
  generateSimulatorKeys,
  startSimulator,
  type Simulator,
  type SimulatorKeys,
} from "../../../src/simulator/simulator.ts";
import type { Tree } from "../../../src/simulator/world.ts";

let keys: SimulatorKeys;
let simulator: Simulator;
let tree: Tree;
let token: string;

beforeAll(async () => {
  keys = await generateSimulatorKeys();
});

beforeEach(async () => {
  simulator = await startSimulator({ keys });
  tree = simulator.repository("acme/widget").branches.get("main")!;
  token = await mintToken();
});

afterEach(async () => simulator[Symbol.asyncDispose]());

async function mintToken(): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const jwt = signJwt({ alg: "RS256" }, { iss: 111, iat: now - 10, exp: now + 300 }, keys.main.privateKey);
  const response = await fetch(`${simulator.github.url}/app/installations/222/access_tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${jwt}` },
  });
  return ((await response.json()) as { token: string }).token;
}

function read(path: string, headers: Record<string, string> = {}) {
  return fetch(`${simulator.github.url}/repos/acme/widget/contents/${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  });
}

describe("a file", () => {
  test("comes in base64 of lines of 60, with its size and the name git gives its bytes", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    tree.set("data/all bytes.bin", { kind: "file", content: bytes });
    const response = await read("data/all%20bytes.bin?ref=main");
    const body = await json(response);
    expect(body).toMatchObject({
      type: "file",
      encoding: "base64",
      size: 256,
      name: "all bytes.bin",
      path: "data/all bytes.bin",
      sha: git(["hash-object", "--stdin"], bytes),
    });
    expect(body.content.split("\n").slice(0, -2)).toEqual(expect.arrayContaining([expect.stringMatching(/^.{60}$/)]));
    expect(body.content.endsWith("\n")).toBe(true);
    expect(Buffer.from(body.content.replaceAll("\n", ""), "base64")).toEqual(bytes);
  });

  test("that is empty has no content, and git's name of nothing", async () => {
    tree.set("empty", { kind: "file", content: "" });
    const body = await json(await read("empty"));
    expect(body).toMatchObject({ size: 0, content: "", sha: "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" });
  });

  test("comes as it is when raw is asked for", async () => {
    const response = await read("README.md", { accept: "application/vnd.github.raw+json" });
    expect(response.headers.get("content-type")).toBe("application/vnd.github.raw+json; charset=utf-8");
    expect(await response.text()).toBe("# widget\n");
  });

  test.each([
    [1024 * 1024, "base64"],
    [1024 * 1024 + 1, "none"],
  ])("of %d bytes has encoding %s", async (size, encoding) => {
    tree.set("large", { kind: "file", content: new Uint8Array(size) });
    const body = await json(await read("large"));
    expect(body).toMatchObject({ size, encoding });
    expect(body.content === "").toBe(encoding === "none");
  });

  test.each(["README", "readme.md", "README.md/x", "README.md?ref=nonesuch"])("%s is not there", async (path) => {
    expect((await read(path)).status).toBe(404);
  });

  test.each(["main", "heads/main", "refs/heads/main"])("is found on the branch %s", async (ref) => {
    expect((await read(`README.md?ref=${encodeURIComponent(ref)}`)).status).toBe(200);
  });
});

describe("what is no file", () => {
  test("a directory is a list, named as git names it", async () => {
    tree.set("a/b/file", { kind: "file", content: "x" });
    tree.set("a/b.txt", { kind: "file", content: "y" });
    tree.set("a/link", { kind: "symlink", target: "../nowhere" });
    const folder = mkdtempSync(join(tmpdir(), "simulator-tree-"));
    try {
      for (const [path, entry] of tree) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        if (entry.kind === "file") writeFileSync(join(folder, path), entry.content);
        if (entry.kind === "symlink") symlinkSync(entry.target, join(folder, path));
      }
      git(["-C", folder, "init", "-q"]);
      git(["-C", folder, "add", "-A"]);
      const root = git(["-C", folder, "write-tree"]);
      const listed = await json(await read(""));
      expect(listed.map(({ name, type }: { name: string; type: string }) => [name, type])).toEqual([
        ["README.md", "file"],
        ["a", "dir"],
      ]);
      expect(listed[1].sha).toBe(git(["-C", folder, "rev-parse", `${root}:a`]));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a link to a file of the repository is answered with the file, any other is described", async () => {
    tree.set("docs/inside", { kind: "symlink", target: "../README.md" });
    tree.set("docs/outside", { kind: "symlink", target: "/etc/passwd" });
    expect(await (await read("docs/inside")).json()).toMatchObject({ type: "file", size: 9, path: "docs/inside" });
    expect(await (await read("docs/outside")).json()).toMatchObject({ type: "symlink", target: "/etc/passwd" });
  });

  test("a submodule is described, and called a file in a listing", async () => {
    tree.set("vendor/lib", { kind: "submodule", commit: "a".repeat(40), url: "https://github.com/acme/lib.git" });
    const submodule = await (await read("vendor/lib")).json();
    expect(submodule).toMatchObject({ type: "submodule", sha: "a".repeat(40), size: 0 });
    expect(await (await read("vendor")).json()).toMatchObject([{ type: "file", name: "lib", sha: "a".repeat(40) }]);
  });
});

describe("a conditional request", () => {
  test("is 304 without a body while the file is the same, and costs nothing", async () => {
    const first = await read("README.md");
    const etag = first.headers.get("etag")!;
    expect(etag).toMatch(/^W\/"[0-9a-f]{64}"$/);
    for (const known of [etag, etag.replace("W/", ""), `"other", ${etag}`]) {
      const again = await read("README.md", { "if-none-match": known });
      expect(again.status).toBe(304);
      expect(await again.text()).toBe("");
      expect(again.headers.get("etag")).toBe(etag);
      expect(again.headers.get("x-ratelimit-used")).toBe("1");
    }
  });

  test("is 200 once the file has changed", async () => {
    const etag = (await read("README.md")).headers.get("etag")!;
    tree.set("README.md", { kind: "file", content: "# changed\n" });
    expect((await read("README.md", { "if-none-match": etag })).status).toBe(200);
  });

  test("is 200 with another token, since GitHub's entity tags depend on it", async () => {
    const etag = (await read("README.md")).headers.get("etag")!;
    token = await mintToken();
    expect((await read("README.md", { "if-none-match": etag })).status).toBe(200);
  });
});

test("the profile file can be replaced and removed", async () => {
  const policy = () =>
    fetch(`${simulator.github.url}/repos/acme/policy/contents/chinmina/profiles.yaml`, {
      headers: { authorization: `Bearer ${token}`, accept: "application/vnd.github.raw+json" },
    });
  simulator.setPolicy("pipeline: {}\n");
  expect(await (await policy()).text()).toBe("pipeline: {}\n");
  simulator.setPolicy(undefined);
  expect((await policy()).status).toBe(404);
});

/** Runs git itself, the judge of what its names are; its output without the line end. */
function git(parameters: readonly string[], input: Uint8Array = new Uint8Array()): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(["git", ...parameters], { stdin: input });
  if (exitCode !== 0) throw new Error(`git ${parameters.join(" ")}: ${stderr.toString()}`);
  return stdout.toString().trim();
}

test("git's own name of these bytes is what SHA-1 says, so the judge is no stand-in", () => {
  expect(git(["hash-object", "--stdin"], Buffer.from("x"))).toBe(createHash("sha1").update("blob 1\0x").digest("hex"));
});

/** The body as whatever it is: the assertions that follow judge it. */
async function json(response: Response) {
  return JSON.parse(await response.text());
}
