import { beforeAll, describe, test } from "bun:test";
import {
  addLoadPipelines,
  checkLoad,
  LOAD_VARIABLES,
  sayAgain,
  sendRequests,
  untilAllSay,
} from "../../support/request-load.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { ENGINES, installRealServers, startRealServer } from "../../support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";
import { startFleet, type Fleet } from "../../support/world.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("service-outage", ["localhost"]);
const LOOPS = 12;

beforeAll(installRealServers, 300_000);

async function startSharing(port: number): Promise<Fleet & { readonly keyset: Disposable }> {
  const keyset = writeKeysetFile();
  const variables = { ...valkeyVariables({ port }, authority), ...keyset.variables, ...LOAD_VARIABLES };
  const fleet = await startFleet(2, variables, { form: "binary", prepare: addLoadPipelines });
  await untilAllSay(fleet, "valkey: in use", 1);
  return { ...fleet, keyset };
}

describe.each(ENGINES)("two instances of the binary, %s", (engine) => {
  test("killed and started again: no request fails or waits longer than Valkey may cost it", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    await using fleet = await startSharing(server.port);
    using _keyset = fleet.keyset;
    const load = await sendRequests(fleet, LOOPS, async () => {
      await Bun.sleep(1_500);
      await server.kill();
      await untilAllSay(fleet, "valkey: out of use", 1);
      await Bun.sleep(1_500);
      await server.restart();
      await untilAllSay(fleet, "valkey: in use", 2);
      await Bun.sleep(1_500);
    });
    checkLoad(`${engine} killed and restarted`, load);
  }, 60_000);

  test("stopped and continued: requests wait for it at first only", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    await using fleet = await startSharing(server.port);
    using _keyset = fleet.keyset;
    const load = await sendRequests(fleet, LOOPS, async () => {
      await Bun.sleep(1_500);
      server.pause();
      await untilAllSay(fleet, "valkey: too slow", 1);
      await Bun.sleep(1_500);
      server.resume();
      await untilAllSay(fleet, "valkey: in use", 2);
      await Bun.sleep(1_500);
    });
    checkLoad(`${engine} stopped and continued`, load);
  }, 60_000);

  test("stopped for longer than a silent peer is put up with: given up, and picked up when it is back", async () => {
    await using server = await startRealServer({ engine, authority, certificate });
    await using fleet = await startSharing(server.port);
    using _keyset = fleet.keyset;
    const load = await sendRequests(fleet, LOOPS, async () => {
      await Bun.sleep(1_500);
      server.pause();
      const silent = fleet.worlds.map(({ bridge }) => bridge.waitFor(({ reason }) => reason === "silent"));
      await Promise.all(silent);
      const backAgain = sayAgain(fleet, "valkey: in use");
      server.resume();
      await backAgain();
      await Bun.sleep(1_000);
    });
    checkLoad(`${engine} stopped for long`, load);
  }, 60_000);
});
