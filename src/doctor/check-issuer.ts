import type { JwtConfiguration } from "../config/configuration.ts";
import type { BoundedFetch } from "../lib/bounded-fetch.ts";
import type { Clock } from "../lib/clock.ts";
import { fetchKeySet, findKeySet } from "../oidc/discover-keys.ts";
import { createKeySet, type KeySet } from "../oidc/key-set.ts";
import { createStaticKeySource } from "../oidc/static-key-source.ts";
import { type Check, failed, type Finding, ok } from "./check.ts";
import { examine } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";

const explain = explainFault({
  unavailable: "issuer-unavailable",
  refused: "issuer-unavailable",
  malformed: "issuer-malformed",
});

/** Whether jobs' tokens could be verified now: the issuer's discovery document, and keys that may verify RS256. */
export async function checkIssuer(jwt: JwtConfiguration, fetch: BoundedFetch, clock: Clock): Promise<Check> {
  const { issuerUrl, staticJwks } = jwt;
  const { check } = await examine("OIDC issuer", clock, async ({ run, skip }) => {
    if (staticJwks !== undefined) {
      skip("discovery document", "JWT_JWKS_STATIC is used in its place");
      await run("keys", async () => {
        const keys = await createStaticKeySource(staticJwks.reveal()).current();
        return judge(keys.kind === "keys" ? keys.keys : createKeySet([]), "JWT_JWKS_STATIC");
      });
      return;
    }
    const found = await run(
      "discovery document",
      async () => ok(`${issuerUrl} is what it calls itself`, await findKeySet(issuerUrl, fetch)),
      explain,
    );
    if (found === undefined) skip("keys", "the discovery document tells where they are");
    else await run("keys", async () => judge(await fetchKeySet(found, fetch), found), explain);
  });
  return check;
}

function judge({ usableCount, passedOverCount }: KeySet, place: string): Finding<undefined> {
  const passedOver = passedOverCount === 0 ? "" : `, ${passedOverCount} passed over`;
  if (usableCount === 0) return failed("issuer-without-keys", `${place} has no key that may verify RS256${passedOver}`);
  return ok(`${usableCount} for RS256${passedOver}, from ${place}`, undefined);
}
