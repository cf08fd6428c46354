import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lastLine } from "./python-tools.ts";

const ROOT = join(import.meta.dir, "../..");
const FOLDER = join(ROOT, ".tools/collector");
const BINARY = join(FOLDER, "collector");
const MANIFEST = join(ROOT, "tests/interop/collector/manifest.yaml");
const BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.156.0";
export const SHIPPED_CONFIG = join(ROOT, "deploy/observability/collector.yaml");

/** Builds the OpenTelemetry Collector inside the project when it is not there yet (two minutes). Throws with one line when it cannot. */
export async function buildCollector(): Promise<string> {
  const manifest = readFileSync(MANIFEST, "utf8");
  const marker = join(FOLDER, "built-from.yaml");
  if (existsSync(BINARY) && existsSync(marker) && readFileSync(marker, "utf8") === manifest) return BINARY;
  if (Bun.which("go") === null) throw new Error("the tests with the OpenTelemetry Collector need Go in PATH");
  mkdirSync(FOLDER, { recursive: true });
  const config = join(FOLDER, "manifest.yaml");
  writeFileSync(config, manifest.replace("dist:\n", `dist:\n  output_path: ${FOLDER}\n`));
  const child = Bun.spawn(["go", "run", BUILDER, "--config", config], { stdout: "ignore", stderr: "pipe" });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`the OpenTelemetry Collector could not be built: ${lastLine(said)}`);
  writeFileSync(marker, manifest);
  return BINARY;
}

export interface Collector extends AsyncDisposable {
  readonly endpoints: { readonly grpc: string; readonly http: string };
  /** What Prometheus would scrape. */
  readonly scrape: () => Promise<string>;
  /** What the debug exporter has printed, in full. */
  readonly printed: () => string;
}

/** Starts the shipped configuration on free ports, with the debug exporter beside its own. */
export async function startCollector(binary: string): Promise<Collector> {
  const [grpc, http, prometheus] = await Promise.all([freePort(), freePort(), freePort()]);
  const debug = [
    "exporters: {debug: {verbosity: detailed}}",
    "service: {pipelines: {metrics: {exporters: [prometheus, debug]}, traces: {exporters: [debug]}}}",
  ].join("\n");
  const extra = join(FOLDER, "debug.yaml");
  writeFileSync(extra, debug);
  const child = Bun.spawn([binary, "--config", SHIPPED_CONFIG, "--config", extra], {
    env: {
      PATH: process.env["PATH"] ?? "",
      OTLP_GRPC_PORT: String(grpc),
      OTLP_HTTP_PORT: String(http),
      PROMETHEUS_LISTEN: `127.0.0.1:${prometheus}`,
    },
    stdout: "pipe",
    stderr: "pipe",
  });
  let printed = "";
  const ready = Promise.withResolvers<void>();
  const read = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    for await (const chunk of stream) {
      printed += new TextDecoder().decode(chunk);
      if (printed.includes("Everything is ready")) ready.resolve();
    }
  };
  void read(child.stdout);
  void read(child.stderr);
  await Promise.race([
    ready.promise,
    child.exited.then((code) => {
      throw new Error(`the collector ended with status ${code}: ${lastLine(printed)}`);
    }),
  ]);
  return {
    endpoints: { grpc: `http://127.0.0.1:${grpc}`, http: `http://127.0.0.1:${http}` },
    scrape: async () => (await fetch(`http://127.0.0.1:${prometheus}/metrics`)).text(),
    printed: () => printed,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function freePort(): Promise<number> {
  using server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  return server.port ?? 0;
}
