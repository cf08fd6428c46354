import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startBridge, type Bridge } from "./bridge.ts";

const ROOT = join(import.meta.dir, "../..");
const STORE = join(ROOT, ".tools/images");
const CONFIGURATION = join(STORE, "storage.conf");
/** A full name: podman and buildah look short ones up in registries. */
const IMAGE = "localhost/chinmina-bridge:test";
const ARM_IMAGE = "localhost/chinmina-bridge:test-arm64";
const ENVIRONMENT = { ...process.env, CONTAINERS_STORAGE_CONF: CONFIGURATION, BUILDAH_ISOLATION: "chroot" };

/** How a cautious operator runs it. The limits are needed where the machine's own are lower than runc's defaults. */
const PODMAN = ["podman", "--cgroup-manager=cgroupfs", "--runtime=runc"];
const RUN = [
  ...PODMAN,
  "run",
  "--rm",
  "--pull=never",
  "--no-healthcheck",
  "--network=host",
  "--read-only",
  "--read-only-tmpfs=false",
  "--cap-drop=all",
  "--security-opt=no-new-privileges",
  "--ulimit=nofile=4096:4096",
  "--ulimit=nproc=4096:4096",
];

export interface BuiltImage {
  /** The files of the image, and those of the arm64 image, mounted. */
  readonly root: string;
  readonly armRoot: string;
  /** As `podman inspect` shows it. */
  readonly configuration: {
    readonly User: string;
    readonly Env: readonly string[];
    readonly Entrypoint: readonly string[];
    readonly StopSignal: string;
    readonly Labels: Readonly<Record<string, string>>;
  };
  readonly healthCheck: readonly string[];
  readonly bytes: number;
  /** The digests of its layers, and of those of a second build. */
  readonly layers: readonly (readonly string[])[];
  /** The image's binary as tests start it: a command without arguments. `files` is the folder of this machine that it sees. */
  readonly command: string;
  readonly files: string;
}

/** Builds the image for both architectures by `scripts/image.sh`, on stand-ins for its bases. Throws with what the builder said last. */
export async function buildImage(commit: string): Promise<BuiltImage> {
  await run(["sh", join(ROOT, "scripts/install-image-tools.sh")]);
  mkdirSync(STORE, { recursive: true });
  writeFileSync(CONFIGURATION, `[storage]\ndriver = "vfs"\ngraphroot = "${STORE}/store"\nrunroot = "${STORE}/run"\n`);
  await run(["buildah", "rm", "--all"]);
  await run(["sh", join(import.meta.dir, "stand-in-bases.sh")], { BUN: process.execPath });
  const build = ["sh", join(ROOT, "scripts/image.sh")];
  const settings = { BUILDER: "buildah", COMMIT: commit };
  await run([...build, IMAGE, "--pull=never", "--no-cache"], settings);
  await run([...build, `${IMAGE}-again`, "--pull=never", "--no-cache"], settings);
  await run([...build, ARM_IMAGE, "--pull=never", "--no-cache", "--build-arg=RUN_BASE=localhost/glibc-dynamic:arm64"], {
    ...settings,
    PLATFORM: "linux/arm64",
  });
  await run(["buildah", "rmi", "--prune"]);
  const [first, again] = JSON.parse(await podman("image", "inspect", IMAGE, `${IMAGE}-again`));
  const { Config, Size, Healthcheck } = first;
  const root = await mount(IMAGE);
  const files = join(STORE, "files");
  mkdirSync(files, { recursive: true, mode: 0o755 });
  return {
    root,
    armRoot: await mount(ARM_IMAGE),
    configuration: Config,
    healthCheck: Healthcheck.Test,
    bytes: Size,
    layers: [first.RootFS.Layers, again.RootFS.Layers],
    command: wrap(root, files, Config),
    files,
  };
}

/** A container's files: what is made there is not in the image. */
async function mount(image: string): Promise<string> {
  const container = (await run(["buildah", "from", "--pull-never", image])).trim();
  return (await run(["buildah", "mount", container])).trim();
}

function wrap(root: string, files: string, { Env, Entrypoint }: BuiltImage["configuration"]): string {
  for (const folder of ["proc", "dev", files]) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, "dev/null"), "");
  const command = join(STORE, "run-image");
  const own = Env.filter((entry) => !entry.startsWith("PATH=")).map((entry) => `'${entry}'`);
  const runner = join(import.meta.dir, "run-in-root.sh");
  const line = `exec /usr/bin/env ${own.join(" ")} /bin/sh '${runner}' '${root}' '${files}' ${Entrypoint.join(" ")} "$@"`;
  writeFileSync(command, `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  return command;
}

/** A service in a container, as its process 1. Signals to `process` reach it. Disposing removes the container. */
export async function startContainer(
  environment: Readonly<Record<string, string>>,
): Promise<Bridge & { readonly name: string }> {
  const name = containerName();
  const stop = async (): Promise<void> => void (await run([...PODMAN, "rm", "--force", "--ignore", "--time=0", name]));
  try {
    const bridge = await startBridge(
      { CONTAINERS_STORAGE_CONF: CONFIGURATION },
      { command: containerCommand(name, { SERVER_PORT: "0", SERVER_HOST: "127.0.0.1", ...environment }) },
    );
    return Object.assign(bridge, { name, [Symbol.asyncDispose]: stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

export const containerName = (): string => `chinmina-test-${crypto.randomUUID()}`;

/** To start a container with; arguments of the program follow it. It needs the variables of `containerEnvironment`. */
export function containerCommand(name: string, environment: Readonly<Record<string, string>>): readonly string[] {
  const variables = Object.entries(environment).map(([variable, value]) => `--env=${variable}=${value}`);
  return [...RUN, `--name=${name}`, ...variables, IMAGE];
}

export const containerEnvironment = ENVIRONMENT;

/** Runs podman to its end. Throws unless it ends with 0. */
export const podman = (...parameters: readonly string[]): Promise<string> => run([...PODMAN, ...parameters]);

async function run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = Bun.spawn([...command], {
    env: { ...ENVIRONMENT, ...environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (code !== 0) throw new Error(`${command.join(" ")}: status ${code}\n${out.slice(-2000)}\n${err.slice(-2000)}`);
  return out;
}
