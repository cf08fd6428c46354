/**
 * Kills the service with SIGKILL at random moments under load, and counts answered requests that have no audit line. There must be none.
 *
 *   bun scripts/audit-kill.ts [ROUNDS] [REQUESTS AT LEAST]
 */
import { startSimulator } from "../src/simulator/simulator.ts";
import { startBridge } from "../tests/support/bridge.ts";

const ROUNDS = Number(process.argv[2] ?? 5);
const AT_LEAST = Number(process.argv[3] ?? 0);
const CLIENTS = 32;

process.env["BRIDGE_UNDER_TEST"] = "binary";
await using simulator = await startSimulator();
const { GITHUB_ORG_PROFILE: _, ...environment } = simulator.environment();
const jwt = simulator.oidc.issueToken();
let answered = 0;
let withoutLine = 0;
let round = 0;
for (; round < ROUNDS || answered < AT_LEAST; round++) {
  const bridge = await startBridge(environment);
  const replied: string[] = [];
  const clients = Array.from({ length: CLIENTS }, async (_item, client) => {
    for (let count = 0; ; count++) {
      const id = `${round}-${client}-${count}`;
      const options = { method: "POST", headers: { authorization: `Bearer ${jwt}`, "x-request-id": id } };
      const response = await fetch(`${bridge.url}/token`, options).catch(() => undefined);
      if (response === undefined) return;
      const text = await response.text().catch(() => "");
      if (text !== "") replied.push(id);
    }
  });
  await Bun.sleep(300 + Math.random() * 600);
  const code = bridge.stop("SIGKILL");
  await Promise.all(clients);
  await code;
  const lines = new Set(bridge.audit.map((line) => line["request"]?.id));
  answered += replied.length;
  withoutLine += replied.filter((id) => !lines.has(id)).length;
  if (process.stderr.isTTY) process.stderr.write(`\rround ${round + 1}: ${answered} answered`);
}
console.log(`${round} rounds, ${answered} answered, ${withoutLine} without a line`);
process.exit(withoutLine === 0 && answered > 0 ? 0 : 1);
