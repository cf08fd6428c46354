import { spawnSync, type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { CertificateAuthority, ServerCertificate } from "./certificates.ts";

export type Engine = "redis" | "valkey";

export const ENGINES: readonly Engine[] = ["redis", "valkey"];
export const ADMIN_PASSWORD = "the-administrator";
export const APP_USER = "bridge";
export const APP_PASSWORD = "p@ss word/of:the?app";

/** The access string that docs/valkey.md tells operators to give, as it stands there. */
export const DOCUMENTED_ACCESS =
  /^on (~\* -@all .*)$/m.exec(readFileSync(resolve(import.meta.dir, "../../../docs/valkey.md"), "utf8"))?.[1] ?? "";

/** Installs the real servers where they are missing; throws the script's one line where that is impossible. */
export function installRealServers(): void {
  const script = resolve(import.meta.dir, "../../../scripts/install-valkey.sh");
  const { status, stderr } = spawnSync("sh", [script], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr.trim());
}

export interface RealServerOptions {
  readonly engine: Engine;
  readonly authority: CertificateAuthority;
  readonly certificate: ServerCertificate;
  readonly port?: number;
  /** Of the application's user; the documented access unless something else is tested. */
  readonly access?: string;
  readonly extraArguments?: readonly string[];
}

export interface RealServer extends AsyncDisposable {
  readonly port: number;
  readonly engine: Engine;
  /** Runs a command as the administrator and gives its output. */
  readonly admin: (...args: readonly string[]) => string;
  readonly pause: () => void;
  readonly resume: () => void;
  readonly kill: () => Promise<void>;
  /** Starts it again after `kill`, on the same port, empty. */
  readonly restart: () => Promise<void>;
}

export async function startRealServer(options: RealServerOptions): Promise<RealServer> {
  const { engine, authority } = options;
  const folder = mkdtempSync(join(tmpdir(), `${engine}-`));
  const port = options.port ?? (await freePort());
  // A space cannot be in an ACL file's password; its hash can.
  const hash = new Bun.CryptoHasher("sha256").update(APP_PASSWORD).digest("hex");
  writeFileSync(
    join(folder, "users.acl"),
    `user default on >${ADMIN_PASSWORD} ~* &* +@all\nuser ${APP_USER} on #${hash} ${options.access ?? DOCUMENTED_ACCESS}\n`,
  );
  let child = launch();
  await ready();
  return {
    port,
    engine,
    admin,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill,
    restart: async () => {
      child = launch();
      await ready();
    },
    [Symbol.asyncDispose]: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };

  function launch(): ChildProcess {
    const { certFile, keyFile } = options.certificate;
    mkdirSync(folder, { recursive: true });
    const tls = ["--tls-port", port, "--tls-cert-file", certFile, "--tls-key-file", keyFile];
    const ca = ["--tls-ca-cert-file", authority.caFile, "--tls-auth-clients", "no", "--bind", "127.0.0.1"];
    const rest = ["--port", 0, "--aclfile", "users.acl", "--dir", folder, "--save", "", "--appendonly", "no"];
    const args = [...tls, ...ca, ...rest, ...(options.extraArguments ?? [])].map(String);
    return spawn(`${engine}-server`, args, { cwd: folder, stdio: "ignore" });
  }

  function admin(...args: readonly string[]): string {
    return runCli(authority, port, args);
  }

  async function ready(): Promise<void> {
    for (let attempt = 0; attempt < 300; attempt++) {
      try {
        if (admin("ping") === "PONG") return;
      } catch {
        // Not listening yet.
      }
      await Bun.sleep(50);
    }
    throw new Error(`${engine}-server does not start`);
  }

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await gone;
  }
}

/** valkey-cli speaks to both engines. This waits for it with the event loop standing still. */
export function runCli(authority: CertificateAuthority, port: number, args: readonly string[]): string {
  const [program, ...words] = cliCommand(authority, port, args);
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8", timeout: 30_000 });
  return checkCli(args, status, stdout, stderr);
}

/** The same while the event loop, and a load that a test has put on it, goes on. */
export async function runCliMeanwhile(
  authority: CertificateAuthority,
  port: number,
  args: readonly string[],
): Promise<string> {
  const child = Bun.spawn(cliCommand(authority, port, args), { stdout: "pipe", stderr: "pipe", timeout: 60_000 });
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return checkCli(args, status, stdout, stderr);
}

export function cliCommand(
  authority: CertificateAuthority,
  port: number,
  args: readonly string[],
): [string, ...string[]] {
  const connection = ["--tls", "--cacert", authority.caFile, "-h", "127.0.0.1", "-p", String(port)];
  return ["valkey-cli", ...connection, "-a", ADMIN_PASSWORD, "--no-auth-warning", ...args];
}

function checkCli(args: readonly string[], status: number | null, stdout: string, stderr: string): string {
  if (status === 0 && !/^\(error\)|^[A-Z]+ERR|^ERR /.test(stdout)) return stdout.trim();
  throw new Error(`valkey-cli ${args.join(" ")}: ${stdout}${stderr}`);
}

/** Below 55,536, because a cluster node also listens 10,000 above it. */
/** The cluster bus listens 10,000 above the port: both must be free, and both must be ports. Below what the system gives out by itself. */
export async function freeClusterPort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = 11_000 + Math.floor(Math.random() * 11_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error("no free port for a cluster node");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const { promise, resolve: settle } = Promise.withResolvers<boolean>();
  server.once("error", () => settle(false));
  server.listen(port, "127.0.0.1", () => server.close(() => settle(true)));
  return promise;
}

export async function freePort(): Promise<number> {
  for (;;) {
    const port = await new Promise<number>((done, fail) => {
      const probe = createServer();
      probe.once("error", fail);
      probe.listen(20_000 + Math.floor(Math.random() * 12_000), "127.0.0.1", () => {
        const { port: found } = probe.address() as AddressInfo;
        probe.close(() => done(found));
      });
    }).catch(() => undefined);
    if (port !== undefined) return port;
  }
}
