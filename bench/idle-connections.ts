/**
 * What idle keep-alive connections cost in memory.
 *
 *   bun bench/idle-connections.ts [CONNECTIONS]
 */
import { readFileSync } from "node:fs";
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";

const CONNECTIONS = Number(process.argv[2] ?? 1000);
process.env["BRIDGE_UNDER_TEST"] = "binary";
await using simulator = await startSimulator();
const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
await using bridge = await startBridge(environment);
const before = rssMiB();
const sockets = [];
for (let count = 0; count < CONNECTIONS; count++) {
  const answered = Promise.withResolvers<void>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: bridge.port,
    socket: { data: () => answered.resolve(), close: () => answered.resolve() },
  });
  socket.write("GET /healthcheck HTTP/1.1\r\nHost: bench\r\n\r\n");
  await answered.promise;
  sockets.push(socket);
}
await Bun.sleep(500);
console.log(`${CONNECTIONS} idle connections: RSS ${before.toFixed(1)} to ${rssMiB().toFixed(1)} MiB`);
for (const socket of sockets) socket.end();

function rssMiB(): number {
  const kB = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${bridge.process.pid}/status`, "utf8"))?.[1];
  return Number(kB) / 1024;
}
