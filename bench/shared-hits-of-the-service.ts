/**
 * Whether shared hits leave anything behind in the service: the compiled binary, a real Valkey over TLS, sealed entries. Ends with
 * status 1 when RSS after all of them is more than 24 MiB above what it was after the first tenth.
 *
 *   bun bench/shared-hits-of-the-service.ts [COUNT]   1,000,000 unless told otherwise (some minutes)
 *
 * More repositories than the memory level keeps of a caller-scoped profile are asked for in turn, so each request is a hit in Valkey.
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";
import { addLoadPipelines } from "../tests/support/request-load.ts";
import { createCertificateAuthority } from "../tests/support/valkey/certificates.ts";
import { installRealServers, startRealServer } from "../tests/support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../tests/support/valkey/service-access.ts";

const COUNT = Number(process.argv[2] ?? "1000000");
const REPOSITORIES = 2_500;
const LOOPS = 32;
const MOST_GROWTH_MIB = 24;

installRealServers();
const authority = createCertificateAuthority();
await using server = await startRealServer({
  engine: "valkey",
  authority,
  certificate: authority.issue("bench", ["localhost"]),
});
using keyset = writeKeysetFile();
await using simulator = await startSimulator();
addLoadPipelines(simulator);
const [model] = simulator.world.github.repositories;
if (model === undefined) throw new Error("the simulated world is empty");
for (let index = 0; index < REPOSITORIES; index++) {
  simulator.world.github.repositories.push({ ...model, id: 100_000 + index, name: `r${index}` });
}
const variables = { ...simulator.environment(), ...valkeyVariables(server, authority), ...keyset.variables };
await using bridge = await startBridge(
  { ...variables, CACHE_TOKEN_TTL_SECS: "3300" },
  { keepLines: 200, form: "binary" },
);
await bridge.waitFor(({ message }) => message === "valkey: in use");
const day = { exp: Math.floor(Date.now() / 1000) + 12 * 3600 };
// So many that none comes to the end of what one pipeline may make GitHub do in a minute.
const jwts = simulator.world.buildkite.jobs.map(({ id }) => simulator.oidc.issueToken(day, { jobId: id }));

let next = 0;
async function ask(until: number, loops = LOOPS): Promise<void> {
  const loop = async (): Promise<void> => {
    while (next < until) {
      const turn = next++ % REPOSITORIES;
      const headers = { authorization: `Bearer ${jwts[turn % jwts.length]}` };
      const url = `${bridge.url}/organization/token/any-one-repository?repository-scope=r${turn}`;
      const response = await fetch(url, { method: "POST", headers });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`status ${response.status}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
}

const rssMib = async (): Promise<number> => {
  const status = await Bun.file(`/proc/${bridge.process.pid}/status`).text();
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
};
const minted = (): number => simulator.journal.entries({ method: "POST", path: /access_tokens$/ }).length;

await ask(REPOSITORIES, 4);
await Bun.sleep(1_000);
const made = minted();
next = 0;
const startedMs = performance.now();
await ask(COUNT / 10);
const early = await rssMib();
console.log(`RSS after ${COUNT / 10} shared hits ${early.toFixed(0)} MiB`);
await ask(COUNT);
const late = await rssMib();
const rate = Math.round(COUNT / ((performance.now() - startedMs) / 1000));
console.log(
  `RSS after ${COUNT} shared hits ${late.toFixed(0)} MiB (${rate} a second; ${minted() - made} were none: Valkey too slow on a busy machine)`,
);
if (late - early > MOST_GROWTH_MIB) process.exitCode = 1;
