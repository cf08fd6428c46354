import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../../package.json";
import { IMAGE_SETTINGS } from "../../support/image-settings.ts";
import { startBridge } from "../../support/bridge.ts";
import { INSTALL_TIMEOUT_MS } from "../../support/emulators.ts";
import {
  buildImage,
  containerCommand,
  containerEnvironment,
  containerName,
  podman,
  startContainer,
  type BuiltImage,
} from "../../support/image.ts";
import { startSimulator, type Simulator } from "../../../src/simulator/simulator.ts";

const PROJECT = join(import.meta.dir, "../../..");
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const SUITE_TIMEOUT_MS = 20 * 60_000;

let image: BuiltImage;
let simulator: Simulator;

beforeAll(async () => {
  image = await buildImage(COMMIT);
  simulator = await startSimulator();
}, INSTALL_TIMEOUT_MS);
afterAll(() => simulator?.[Symbol.asyncDispose]());

/** Files and links of the image, by path, without the file that the tests mount a device on. */
function filesIn(root: string): readonly string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => !lstatSync(join(root, path)).isDirectory())
    .map((path) => `/${path}`)
    .filter((path) => path !== "/dev/null")
    .sort();
}

function sha256(path: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
}

describe("the image, on stand-ins for Chainguard's bases", () => {
  test("runs the binary as 65532, with the heap's limit, a health check, and labels that tell what it is", () => {
    const { User, Env, Entrypoint, StopSignal, Labels } = image.configuration;
    expect({ User, Entrypoint, StopSignal, test: image.healthCheck }).toEqual({
      User: "65532:65532",
      Entrypoint: ["/chinmina-bridge"],
      StopSignal: "SIGTERM",
      test: ["CMD", "/chinmina-bridge", "healthcheck"],
    });
    expect(Object.keys(IMAGE_SETTINGS)).toContain("BUN_JSC_forceRAMSize");
    for (const [name, value] of Object.entries(IMAGE_SETTINGS)) expect(Env).toContain(`${name}=${value}`);
    expect(Labels).toMatchObject({
      "org.opencontainers.image.version": manifest.version,
      "org.opencontainers.image.revision": COMMIT,
      "org.opencontainers.image.licenses": manifest.license,
      "org.opencontainers.image.base.name": "cgr.dev/chainguard/glibc-dynamic:latest",
    });
  });

  test("holds the base's files, the binary and its papers, nothing that the service could change, and no shell", () => {
    const files = filesIn(image.root);
    const ours = files.filter((path) => !/^\/(?:etc|lib|lib64|usr\/lib)\//.test(path));
    console.log(`image: ${(image.bytes / 1e6).toFixed(1)} MB, ${files.length} files, ${ours.length} of them ours`);
    expect(ours).toEqual([
      "/chinmina-bridge",
      "/usr/share/doc/chinmina-bridge/LICENSE",
      "/usr/share/doc/chinmina-bridge/sbom.cdx.json",
      "/usr/share/doc/chinmina-bridge/third-party-licenses.txt",
    ]);
    for (const path of ours) {
      const { uid, mode } = lstatSync(join(image.root, path));
      expect({ path, uid, writable: (mode & 0o022) !== 0 }).toEqual({ path, uid: 0, writable: false });
    }
  });

  test("holds the very binaries of the release of its commit, for both architectures", async () => {
    const build = Bun.spawn([process.execPath, "scripts/release.ts"], {
      cwd: PROJECT,
      env: { ...process.env, BUILD_COMMIT: COMMIT },
      stdout: "ignore",
    });
    expect(await build.exited).toBe(0);
    const released = (architecture: string) =>
      sha256(join(PROJECT, `dist/release/chinmina-bridge-linux-${architecture}`));
    expect(sha256(join(image.root, "chinmina-bridge"))).toBe(released("x64"));
    expect(sha256(join(image.armRoot, "chinmina-bridge"))).toBe(released("arm64"));
  }, 60_000);

  test("has the same layers when it is built again", () => {
    const [first, again] = image.layers;
    expect(first?.length).toBeGreaterThan(1);
    expect(again).toEqual(first ?? []);
  });

  test("for arm64 starts, finds its libraries in its own root and vends a token (qemu)", async () => {
    const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
    const command = ["qemu-aarch64-static", "-L", image.armRoot, join(image.armRoot, "chinmina-bridge")];
    await using bridge = await startBridge({ ...environment, ...IMAGE_SETTINGS }, { command });
    expect((await ask(bridge.url)).status).toBe(200);
    expect(await bridge.stop("SIGTERM")).toBe(0);
  }, 60_000);
});

function ask(url: string, path = "/token"): Promise<Response> {
  return fetch(url + path, { method: "POST", headers: { authorization: `Bearer ${simulator.oidc.issueToken()}` } });
}

function environmentOf(overrides: Record<string, string> = {}): Record<string, string> {
  const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
  return { ...environment, ...overrides };
}

describe("a container with a read-only root, no capabilities and no /tmp", () => {
  test("vends a token as 65532, without any right, with nothing to write to", async () => {
    await using bridge = await startContainer(environmentOf());
    expect((await ask(bridge.url)).status).toBe(200);
    const pid = (await podman("inspect", "--format={{.State.Pid}}", bridge.name)).trim();
    const status = new Map(
      readFileSync(`/proc/${pid}/status`, "utf8")
        .split("\n")
        .map((line): [string, string] => [line.split(":")[0] ?? "", line.split(":")[1]?.trim() ?? ""]),
    );
    expect({
      uid: status.get("Uid"),
      groups: status.get("Groups"),
      effective: status.get("CapEff"),
      bounding: status.get("CapBnd"),
      noNewPrivileges: status.get("NoNewPrivs"),
    }).toEqual({
      uid: "65532\t65532\t65532\t65532",
      groups: expect.stringMatching(/^(?:65532)?$/),
      effective: "0000000000000000",
      bounding: "0000000000000000",
      noNewPrivileges: "1",
    });
    const mounts = readFileSync(`/proc/${pid}/mounts`, "utf8")
      .split("\n")
      .map((line) => line.split(" "));
    expect(mounts.find(([, path]) => path === "/")?.[3]).toStartWith("ro,");
    expect(mounts.filter(([, path]) => path === "/tmp")).toEqual([]);
    expect(readdirSync(`/proc/${pid}/root`)).not.toContain("tmp");
  });

  test("its health check is healthy while it serves", async () => {
    await using bridge = await startContainer(environmentOf());
    const check = ["exec", `--env=SERVER_PORT=${bridge.port}`, bridge.name, "/chinmina-bridge", "healthcheck"];
    expect(await podman(...check)).toBe("");
  });

  test("SIGTERM to it as process 1: what a stalled upstream holds is finished, exit 0", async () => {
    await using bridge = await startContainer(environmentOf());
    const release = stall("buildkite");
    const inFlight = ask(bridge.url);
    await release.reached();
    const stopped = bridge.stop("SIGTERM");
    await bridge.waitFor((line) => line["message"] === "stopping");
    release.go();
    expect((await inFlight).status).toBe(200);
    expect(await stopped).toBe(0);
  });

  test("SIGTERM while an upstream never answers: exit 0 at SERVER_SHUTDOWN_TIMEOUT_SECS", async () => {
    await using bridge = await startContainer(environmentOf({ SERVER_SHUTDOWN_TIMEOUT_SECS: "1" }));
    const release = stall("buildkite");
    const left = ask(bridge.url).catch(() => undefined);
    await release.reached();
    const startedMs = performance.now();
    expect(await bridge.stop("SIGTERM")).toBe(0);
    expect(performance.now() - startedMs).toBeWithin(950, 5000);
    expect(await left).toBeUndefined();
    release.go();
  });

  test("SIGTERM twice: exit 1 at once", async () => {
    await using bridge = await startContainer(environmentOf());
    const release = stall("buildkite");
    void ask(bridge.url).catch(() => undefined);
    await release.reached();
    bridge.process.kill("SIGTERM");
    await bridge.waitFor((line) => line["message"] === "stopping");
    const startedMs = performance.now();
    expect(await bridge.stop("SIGTERM")).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    release.go();
  });

  test("SIGTERM while it waits for its first policy: exit 1", async () => {
    const release = stall("github");
    const name = containerName();
    const command = containerCommand(name, { ...simulator.environment(), SERVER_PORT: "0" });
    const child = Bun.spawn([...command, "serve"], { env: containerEnvironment, stdout: "pipe", stderr: "pipe" });
    await release.reached();
    const startedMs = performance.now();
    child.kill("SIGTERM");
    expect(await child.exited).toBe(1);
    expect(performance.now() - startedMs).toBeLessThan(5000);
    release.go();
  });

  test("a taken port ends the start with one line, exit 1", async () => {
    await using first = await startContainer(environmentOf());
    const name = containerName();
    const command = containerCommand(
      name,
      environmentOf({ SERVER_PORT: String(first.port), SERVER_HOST: "127.0.0.1" }),
    );
    const second = Bun.spawn([...command, "serve"], { env: containerEnvironment, stdout: "pipe", stderr: "pipe" });
    expect(await second.exited).toBe(1);
    expect((await second.stderr.text()).trim().split("\n")).toEqual([
      expect.stringContaining(`cannot listen on port ${first.port} of 127.0.0.1: another process has the port`),
    ]);
  });
});

/** Holds every request to an upstream until `go`. */
function stall(upstream: "buildkite" | "github") {
  const held = Promise.withResolvers<undefined>();
  const reached = Promise.withResolvers<void>();
  simulator.interceptor = (_request, asked) => {
    if (asked !== upstream) return undefined;
    reached.resolve();
    return held.promise;
  };
  return {
    reached: () => reached.promise,
    go: () => {
      simulator.interceptor = undefined;
      held.resolve(undefined);
    },
  };
}

test(
  "the whole HTTP suite passes against the image's binary in the image's root, read-only, as 65532, without capabilities",
  async () => {
    const suite = Bun.spawn([process.execPath, "test", "--timeout=20000", "./tests/http"], {
      cwd: PROJECT,
      env: { ...process.env, BRIDGE_UNDER_TEST: "image", BRIDGE_IMAGE_COMMAND: image.command, TMPDIR: image.files },
      stdout: "ignore",
      stderr: "pipe",
    });
    const output = Bun.stripANSI(await suite.stderr.text());
    const count = (what: string): number => Number(new RegExp(`^ *(\\d+) ${what}$`, "m").exec(output)?.[1] ?? 0);
    const all = count("pass") + count("fail") + count("skip") + count("todo");
    console.log(`the HTTP suite in the image: ${count("pass")} of ${all}`);
    const failures = output.split("\n").filter((line) => line.startsWith("(fail)"));
    if (failures.length > 0) console.log(output.replaceAll(/^\(pass\).*\n/gm, ""));
    expect({ failures, code: await suite.exited, passed: count("pass") }).toEqual({
      failures: [],
      code: 0,
      passed: all,
    });
    expect(all).toBeGreaterThan(100);
  },
  SUITE_TIMEOUT_MS,
);
