/**
 * What telemetry costs a cached request: the same load on a service with it off, with metrics alone, and with traces and metrics over OTLP
 * HTTP and gRPC, in turns. Compare the ratios, not the figures. Needs `wrk` and dist/chinmina-bridge.
 *
 *   bun bench/telemetry.ts [SECONDS] [ROUNDS]
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge, type Bridge } from "../tests/support/bridge.ts";
import { cpuSeconds, median } from "./load/machine.ts";
import { LENGTH } from "./load/options.ts";
import { requireWrk } from "./load/wrk.ts";

requireWrk();
const { seconds, rounds } = LENGTH;
process.env["BRIDGE_UNDER_TEST"] = "binary";
await using simulator = await startSimulator();
const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
/** Takes everything and looks at nothing. */
const collector = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: async (request) => {
    await request.arrayBuffer();
    return new Response("");
  },
});
const on = {
  OBSERVE_ENABLED: "true",
  OBSERVE_TYPE: "http",
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
};
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  off: {},
  "metrics alone": { ...on, OTEL_TRACES_SAMPLER: "always_off" },
  "metrics, 1 % traced": { ...on, OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.01" },
  "metrics, all traced": on,
};
const jwt = simulator.oidc.issueToken();
const bridges = new Map<string, Bridge>();
for (const [name, variables] of Object.entries(settings)) {
  bridges.set(name, await startBridge({ ...environment, ...variables }, { keepLines: 20 }));
}
const figures = new Map<string, number[]>();
for (let round = 0; round < rounds; round += 1) {
  for (const [name, bridge] of bridges) {
    figures.set(name, [...(figures.get(name) ?? []), await measure(bridge)]);
  }
}
const off = median(figures.get("off") ?? []);
for (const [name, values] of figures) {
  const cost = median(values);
  const all = values.map((value) => value.toFixed(1)).join(", ");
  console.log(
    `${name.padEnd(20)} ${cost.toFixed(1).padStart(6)} us CPU a request  ${(cost / off).toFixed(2)} x off  (${all})`,
  );
}
for (const bridge of bridges.values()) await bridge[Symbol.asyncDispose]();
await collector.stop(true);

async function measure({ port, process: { pid } }: Bridge): Promise<number> {
  const before = cpuSeconds(pid);
  const wrk = Bun.spawn(["wrk", "-t1", "-c32", `-d${seconds}s`, "-s", "/dev/stdin", `http://127.0.0.1:${port}/token`], {
    stdin: new Blob([`wrk.method="POST" wrk.headers["Authorization"]="Bearer ${jwt}"`]),
    stdout: "pipe",
  });
  const text = await new Response(wrk.stdout).text();
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  if (/Non-2xx/.test(text)) throw new Error(text);
  return ((cpuSeconds(pid) - before) / requests) * 1e6;
}
