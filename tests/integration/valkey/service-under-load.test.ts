import { expect, test } from "bun:test";
import {
  addLoadPipelines,
  checkLoad,
  countSaid,
  LOAD_VARIABLES,
  sayAgain,
  sendRequests,
  untilAllSay,
} from "../../support/request-load.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { startMemoryServer } from "../../support/valkey/memory-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../support/valkey/service-access.ts";
import { startFleet } from "../../support/world.ts";

const authority = createCertificateAuthority();

test("two instances of the binary serve every request while their Valkey cuts connections and then stops answering", async () => {
  await using server = await startMemoryServer({ tls: authority.issue("load", ["localhost"]) });
  using keyset = writeKeysetFile();
  const variables = { ...valkeyVariables(server, authority), ...keyset.variables, ...LOAD_VARIABLES };
  await using fleet = await startFleet(2, variables, { form: "binary", prepare: addLoadPipelines });
  await untilAllSay(fleet, "valkey: in use", 1);
  /** Cuts both connections, and waits until both are back and through with the handshake. */
  const cutBoth = async (): Promise<void> => {
    const before = server.connected;
    server.cutAll();
    while (server.connected < before + 2) await Bun.sleep(5);
    await Bun.sleep(300);
  };
  const load = await sendRequests(fleet, 6, async () => {
    await Bun.sleep(1_500);
    for (let cut = 1; cut <= 3; cut++) await cutBoth();
    const outAgain = sayAgain(fleet, "valkey: too slow");
    server.pause();
    await outAgain();
    const backAgain = sayAgain(fleet, "valkey: in use");
    server.resume();
    await backAgain();
  });
  checkLoad("connections cut, then no answer", load);
  // Connections that are cut are lost to the log's reader and to nobody else: what was shared went on being shared.
  for (const world of fleet.worlds) {
    expect(countSaid(world, "valkey: connection lost")).toBeGreaterThanOrEqual(3);
    expect(countSaid(world, "valkey: out of use")).toBe(0);
  }
}, 60_000);
