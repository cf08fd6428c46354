/**
 * What idle keep-alive connections cost in memory. Ends with status 1 when they are not all open while it is read.
 *
 *   bun bench/idle-connections.ts [CONNECTIONS]
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";
import { openIdleConnections } from "./load/idle-connections.ts";
import { memoryMiB } from "./load/machine.ts";

const CONNECTIONS = Number(process.argv[2] ?? 1000);
process.env["BRIDGE_UNDER_TEST"] = "binary";
await using simulator = await startSimulator();
const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
await using bridge = await startBridge(environment);
const rss = (): number => memoryMiB(bridge.process.pid, "VmRSS");
const before = rss();
using idle = await openIdleConnections(bridge.port, CONNECTIONS);
await Bun.sleep(500);
const after = rss();
idle.assertOpen();
console.log(`${CONNECTIONS} idle connections: RSS ${before.toFixed(1)} to ${after.toFixed(1)} MiB`);
