import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { IssuedToken } from "./installation-tokens.ts";
import type { Simulator } from "./simulator.ts";
import { serveLoopback, type UpstreamServer } from "./upstream-server.ts";
import type { Repository, World } from "./world.ts";

const GIT = ["git", "-c", "safe.directory=*"] as const;

/**
 * GitHub's git over HTTP, for the repositories of the world as they are now: nothing is served but to a live installation token that
 * reaches the repository with `contents:read`, and nothing is taken without `contents:write`. Pushes stay in `directory`.
 *
 * Plain HTTP on the loopback address; git's own `http-backend` does the talking, so clone, fetch and push are the real ones.
 */
export async function startGitServer(simulator: Simulator, directory: string): Promise<UpstreamServer> {
  for (const repository of simulator.world.github.repositories) {
    await writeRepository(join(directory, `${fullName(simulator.world, repository)}.git`), repository);
  }
  return serveLoopback(0, async (request) => {
    const { pathname, search } = new URL(request.url);
    const [, owner = "", last = ""] = pathname.split("/");
    const name = `${owner}/${last.replace(/\.git$/, "")}`;
    const isPush = pathname.endsWith("/git-receive-pack") || search.includes("git-receive-pack");
    const token = findToken(simulator, request.headers.get("authorization"));
    if (token === undefined) return unauthorized();
    if (!reaches(simulator.world, token, name, isPush)) return new Response("Repository not found.\n", { status: 404 });
    const pathInfo = pathname.replace(`/${owner}/${last}`, `/${name}.git`);
    return runBackend(request, directory, pathInfo, search.slice(1));
  });
}

function unauthorized(): Response {
  return new Response("Invalid username or token.\n", {
    status: 401,
    headers: { "www-authenticate": `Basic realm="GitHub"` },
  });
}

/** The password of Basic authentication, as git sends what a credential helper gave it. */
function findToken({ github }: Simulator, authorization: string | null): IssuedToken | undefined {
  const encoded = /^basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  const [user, password = ""] = Buffer.from(encoded ?? "", "base64")
    .toString()
    .split(":");
  if (user !== "x-access-token" || !github.isLive(password)) return undefined;
  return github.issuedTokens().find(({ token }) => token === password);
}

function reaches(world: World, token: IssuedToken, name: string, isPush: boolean): boolean {
  const repository = world.github.repositories.find((one) => fullName(world, one) === name);
  const installation = world.github.installations.find(({ id }) => id === token.installationId);
  if (repository === undefined || installation?.accountId !== repository.ownerId) return false;
  if (installation.repositories !== "all" && !installation.repositories.has(repository.id)) return false;
  if (token.repositoryIds !== undefined && !token.repositoryIds.includes(repository.id)) return false;
  const contents = token.permissions["contents"];
  return isPush ? contents === "write" : contents === "read" || contents === "write";
}

function fullName({ github }: World, { ownerId, name }: Repository): string {
  return `${github.accounts.find(({ id }) => id === ownerId)?.login ?? ""}/${name}`;
}

/** CGI, RFC 3875: the request in variables and on standard input, the reply with its headers on standard output. */
async function runBackend(request: Request, root: string, pathInfo: string, query: string): Promise<Response> {
  const backend = Bun.spawn([...GIT, "http-backend"], {
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: pathInfo,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method,
      REMOTE_USER: "x-access-token",
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      HTTP_CONTENT_ENCODING: request.headers.get("content-encoding") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
    stdin: new Uint8Array(await request.arrayBuffer()),
    stdout: "pipe",
    stderr: "ignore",
  });
  return parseCgi(Buffer.from(await new Response(backend.stdout).arrayBuffer()));
}

function parseCgi(output: Buffer): Response {
  const end = output.indexOf("\r\n\r\n");
  const headers = new Headers();
  let status = 200;
  for (const line of output.subarray(0, end).toString().split("\r\n")) {
    const [name = "", value = ""] = line.split(/: */, 2);
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else if (name !== "") headers.set(name, value);
  }
  return new Response(new Uint8Array(output.subarray(end + 4)), { status, headers });
}

async function writeRepository(path: string, { branches, defaultBranch }: Repository): Promise<void> {
  await mkdir(path, { recursive: true });
  await runGit(path, ["init", "--quiet", "--bare", `--initial-branch=${defaultBranch}`]);
  await runGit(path, ["config", "http.receivepack", "true"]);
  const stream: (string | Uint8Array)[] = [];
  for (const [branch, tree] of branches) {
    stream.push(
      `commit refs/heads/${branch}\ncommitter simulator <simulator@acme.example> 1767225600 +0000\ndata 5\nfirst`,
    );
    for (const [file, entry] of tree) {
      if (entry.kind !== "file") continue;
      const bytes = Buffer.from(entry.content);
      stream.push(`\nM 100644 inline ${file}\ndata ${bytes.byteLength}\n`, bytes);
    }
    stream.push("\n");
  }
  await runGit(path, ["fast-import", "--quiet"], Buffer.concat(stream.map((part) => Buffer.from(part))));
}

async function runGit(path: string, argv: readonly string[], input: Uint8Array = new Uint8Array()): Promise<void> {
  const child = Bun.spawn([...GIT, "-C", path, ...argv], {
    stdin: new Uint8Array(input),
    stdout: "ignore",
    stderr: "pipe",
  });
  if ((await child.exited) !== 0) throw new Error(`git ${argv[0]}: ${await new Response(child.stderr).text()}`);
}
