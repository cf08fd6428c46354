import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const VENV = join(import.meta.dir, "../../.tools/venv");
const MARKER = join(VENV, "emulators.txt");
/** MiniStack signs only with `cryptography` beside it. */
const PACKAGES = ["moto[server]==5.2.5", "ministack==1.5.33", "cryptography==50.0.2"] as const;
const START_TIMEOUT_MS = 60_000;
/** For a hook that installs them first, on a slow network. */
export const INSTALL_TIMEOUT_MS = 10 * 60_000;

/**
 * Emulators of AWS, each right where the other errs: `moto` for KMS Encrypt and Decrypt and for Secrets Manager, `ministack` for KMS
 * Sign and for keys that are disabled. Their texts are not AWS's.
 */
export type EmulatorName = "moto" | "ministack";

export interface Emulator extends AsyncDisposable {
  readonly url: string;
}

const COMMANDS = {
  moto: { program: "moto_server", parameters: ["-H", "127.0.0.1", "-p", "0"], environment: {} },
  ministack: {
    program: "ministack",
    parameters: [],
    environment: { BIND_HOST: "127.0.0.1", GATEWAY_PORT: "0", IOT_MTLS_ENABLED: "0" },
  },
} as const;

/** Starts one on a free port of the loopback address, installed inside the project when it is not yet. Throws with one line saying what is missing. */
export async function startEmulator(name: EmulatorName): Promise<Emulator> {
  await installEmulators();
  const { program, parameters, environment } = COMMANDS[name];
  const child = Bun.spawn([join(VENV, "bin", program), ...parameters], {
    env: { PATH: process.env["PATH"] ?? "", HOME: VENV, PYTHONUNBUFFERED: "1", ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  const { promise: started, resolve } = Promise.withResolvers<string>();
  let output = "";
  // Read on for ever: they log each request, and would block on a full pipe.
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream) {
      output = (output + new TextDecoder().decode(chunk)).slice(-10_000);
      const url = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    }
  };
  void read(child.stdout);
  void read(child.stderr);
  const failed = Promise.race([
    child.exited.then((code) => `ended with status ${code}`),
    new Promise<string>((late) => setTimeout(() => late("did not say where it listens"), START_TIMEOUT_MS).unref()),
  ]).then(async (reason) => {
    await stop();
    throw new Error(`the AWS emulator ${name} ${reason}: ${lastLine(output)}`);
  });
  const url = await Promise.race([started, failed]);
  failed.catch(() => undefined);
  return { url, [Symbol.asyncDispose]: stop };
}

async function installEmulators(): Promise<void> {
  const wanted = PACKAGES.join("\n");
  if (existsSync(MARKER) && readFileSync(MARKER, "utf8") === wanted) return;
  mkdirSync(VENV, { recursive: true });
  await run(
    ["python3", "-m", "venv", VENV],
    "the AWS emulators need Python 3 with its venv module (Debian: apt-get install python3-venv)",
  );
  await run(
    [join(VENV, "bin/pip"), "install", "--quiet", "--disable-pip-version-check", ...PACKAGES],
    `the AWS emulators could not be installed by pip (${PACKAGES.join(", ")})`,
  );
  writeFileSync(MARKER, wanted);
}

async function run(command: readonly string[], problem: string): Promise<void> {
  if (Bun.which(command[0] ?? "") === null) throw new Error(`${problem}: ${command[0]} is not there`);
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const errors = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`${problem}: ${lastLine(errors)}`);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
