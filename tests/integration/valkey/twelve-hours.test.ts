import { expect, test } from "bun:test";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { iamCredentials, startIamServer } from "../../support/valkey/iam.ts";
import { openStore, pause, underLoad } from "../../support/valkey/store.ts";

/** One of the server's hours. Twelve of them are what AWS gives a connection. */
const HOUR_MS = 40;
const SPANS = 22;

const authority = createCertificateAuthority();

test(`IAM connections live through ${SPANS} times 12 hours under load without one failed command`, async () => {
  await using front = await startIamServer(authority, { cutAfterMs: 12 * HOUR_MS });
  const options = { tls: { extraCa: authority.ca }, credentials: iamCredentials(), renewAfterMs: 11 * HOUR_MS };
  await using world = openStore(front.port, options);
  await world.store.firstStatus();
  const load = await underLoad(world.store, 8, () => pause(SPANS * 12 * HOUR_MS));
  const renewed = world.events.count("credentials-renewed");
  console.log(`renewed in time: ${JSON.stringify({ ...load, renewed, cuts: front.cuts })}`);
  expect({ failed: load.failed, unanswered: load.unanswered }).toEqual({ failed: 0, unanswered: 0 });
  expect(renewed).toBeGreaterThanOrEqual(SPANS);
  expect(front.rejected).toEqual([]);
  expect(world.events.states()).toEqual(["up"]);
}, 60_000);

// A server that cuts after 12 hours whatever was sent in between is worse than AWS says it is: then the commands that
// are on the way must survive the cut itself.
test(`and through ${SPANS} cuts that no renewal prevents`, async () => {
  await using front = await startIamServer(authority, { cutAfterMs: 12 * HOUR_MS, authPostponesCut: false });
  const options = {
    tls: { extraCa: authority.ca },
    credentials: iamCredentials(),
    renewAfterMs: 11 * HOUR_MS,
    timing: { stableMs: HOUR_MS },
  };
  await using world = openStore(front.port, options);
  await world.store.firstStatus();
  const load = await underLoad(world.store, 8, async () => {
    while (front.cuts < SPANS) await world.events.until(({ kind }) => kind === "connection-lost");
  });
  console.log(`cut nevertheless: ${JSON.stringify({ ...load, cuts: front.cuts })}`);
  expect({ failed: load.failed, unanswered: load.unanswered }).toEqual({ failed: 0, unanswered: 0 });
  expect(front.cuts).toBeGreaterThanOrEqual(SPANS);
  expect(front.rejected).toEqual([]);
  expect(world.events.states()).toEqual(["up"]);
}, 60_000);
