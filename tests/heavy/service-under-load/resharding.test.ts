import { beforeAll, describe, expect, test } from "bun:test";
import { addLoadPipelines, checkLoad, LOAD_VARIABLES, sendRequests, untilAllSay } from "../../support/request-load.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { startCluster } from "../../support/valkey/cluster.ts";
import { ENGINES, installRealServers } from "../../support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";
import { startFleet } from "../../support/world.ts";

const authority = createCertificateAuthority();
const certificate = authority.issue("service-cluster", ["localhost", "IP:127.0.0.1"]);

beforeAll(installRealServers, 300_000);

describe.each(ENGINES)("two instances of the binary, a %s cluster of three", (engine) => {
  test("its slots move under load: no request fails, and no token is made that was there", async () => {
    await using cluster = await startCluster({ engine, authority, certificate });
    const [first] = cluster.nodes;
    if (first === undefined) throw new Error("a cluster has nodes");
    using keyset = writeKeysetFile();
    const variables = { ...valkeyVariables(first, authority), ...keyset.variables, ...LOAD_VARIABLES };
    await using fleet = await startFleet(2, variables, { form: "binary", prepare: addLoadPipelines });
    await untilAllSay(fleet, "valkey: in use", 1);
    const load = await sendRequests(fleet, 6, async () => {
      await Bun.sleep(1_500);
      await cluster.reshard(0, 1, 2_500);
      await cluster.reshard(2, 0, 2_500);
      await cluster.reshard(1, 2, 5_000);
      await Bun.sleep(1_500);
    });
    checkLoad(`${engine} resharded 10000 slots`, load);
    // Each pipeline's token once, made by one of the two; all else came from the cluster or from memory.
    expect(load.sources["github"]).toBeLessThanOrEqual(61);
    for (const { bridge } of fleet.worlds) {
      const named = bridge.lines.filter(({ message }) => message === "valkey: in use").map(({ server }) => server);
      expect(new Set(named).size).toBe(3);
    }
  }, 150_000);
});
