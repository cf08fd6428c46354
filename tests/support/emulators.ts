import { join } from "node:path";
import { installPythonTools, lastLine } from "./python-tools.ts";

export { INSTALL_TIMEOUT_MS } from "./python-tools.ts";

/** MiniStack signs only with `cryptography` beside it. */
const PACKAGES = ["moto[server]==5.2.5", "ministack==1.5.33", "cryptography==50.0.2"] as const;
const START_TIMEOUT_MS = 60_000;

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
  const programs = await installPythonTools("venv", PACKAGES, "the AWS emulators");
  const { program, parameters, environment } = COMMANDS[name];
  const child = Bun.spawn([join(programs, program), ...parameters], {
    env: { PATH: process.env["PATH"] ?? "", HOME: programs, PYTHONUNBUFFERED: "1", ...environment },
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
