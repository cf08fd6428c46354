import { beforeAll, describe, expect, test } from "bun:test";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { PROGRAMS, runProgram } from "../support/program.ts";
import { createCertificateAuthority } from "../support/valkey/certificates.ts";
import { ENGINES, installRealServers, startRealServer } from "../support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../support/valkey/service-access.ts";

beforeAll(installRealServers, 120_000);

describe.each(PROGRAMS)("doctor of %s", (_name, program) => {
  test.each(ENGINES)(
    "finds nothing wrong with a real %s whose user may do what the documents say and no more, and names what it may not",
    async (engine) => {
      const authority = createCertificateAuthority();
      const certificate = authority.issue("server", ["localhost", "IP:127.0.0.1"]);
      await using simulator = await startSimulator();
      await using server = await startRealServer({ engine, authority, certificate });
      using keyset = writeKeysetFile();
      const environment = { ...simulator.environment({ registry: true }), ...valkeyVariables(server, authority) };
      const doctor = () => runProgram(program, ["doctor"], { environment: { ...environment, ...keyset.variables } });
      const well = await doctor();
      expect(well.out).toContain("ok DEL");
      expect(well.code).toBe(0);
      expect(server.admin("dbsize")).toBe("0");

      server.admin("acl", "setuser", "bridge", "-pttl");
      const refused = await doctor();
      expect(refused.out).toMatch(/FAILED GET and PTTL .*NOPERM.* \[valkey-noperm\]/);
      expect(refused.code).toBe(1);
    },
    60_000,
  );
});
