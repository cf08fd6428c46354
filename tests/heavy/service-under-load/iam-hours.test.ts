import { expect, test } from "bun:test";
import { createLaters } from "../../support/later/later.ts";
import { addLoadPipelines, checkLoad, countSaid, LOAD_VARIABLES, sendRequests } from "../../support/request-load.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { IAM_USER, startIamServer } from "../../support/valkey/iam.ts";
import { writeKeysetFile } from "../../support/valkey/service-access.ts";
import { startFleet, type TestWorld } from "../../support/world.ts";

const authority = createCertificateAuthority();
const SPANS = 3;

test(`two instances of the binary renew their IAM credentials before each of ${SPANS} times 11 hours is over, and no request notices`, async () => {
  await using server = await startIamServer(authority);
  using keyset = writeKeysetFile();
  using shims = createLaters(2);
  const variables = {
    CACHE_TYPE: "valkey",
    VALKEY_ADDRESS: `localhost:${server.port}`,
    VALKEY_TLS_CA_FILE: authority.caFile,
    VALKEY_IAM_ENABLED: "true",
    VALKEY_USERNAME: IAM_USER,
    VALKEY_IAM_CACHE_NAME: "my-cache",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIAIOSFODNN7EXAMPLE",
    AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ...keyset.variables,
    ...LOAD_VARIABLES,
  };
  const environmentOf = (index: number) => shims.laters[index]?.variables ?? {};
  await using fleet = await startFleet(2, variables, { form: "binary", prepare: addLoadPipelines, environmentOf });
  const draining = new Set<TestWorld>();
  const load = await sendRequests(
    fleet,
    4,
    async () => {
      await Bun.sleep(1_500);
      for (let span = 1; span <= SPANS; span++) {
        for (const [index, world] of fleet.worlds.entries()) {
          draining.add(world);
          await Bun.sleep(200);
          shims.laters[index]?.advance(11 * 3600);
          while (countSaid(world, "valkey: credentials renewed") < span) {
            await fetch(`${world.bridge.url}/healthcheck`);
            await Bun.sleep(20);
          }
          draining.delete(world);
          await Bun.sleep(500);
        }
      }
    },
    { isUp: (world) => !draining.has(world) },
  );
  checkLoad("IAM credentials renewed", load);
  expect({ rejected: server.rejected, cuts: server.cuts }).toEqual({ rejected: [], cuts: 0 });
  expect(server.accepted.length).toBeGreaterThanOrEqual(2 + 2 * SPANS);
  for (const world of fleet.worlds) expect(countSaid(world, "valkey: out of use")).toBe(0);
}, 60_000);
