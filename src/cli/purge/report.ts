import type { ValkeyConfiguration } from "../../config/configuration.ts";
import { formatEpochSeconds } from "../../lib/rfc3339.ts";
import type { Purge } from "../../purge/marker.ts";
import { printable } from "../printable.ts";

const NOTICED_WITHIN_SECONDS = 30;
const TOKEN_LIFETIME_SECONDS = 3600;

/** What was ordered, in whose reach it is and what is out of it: a line of JSON, or sentences. */
export function reportPurge(
  { id, scope, issuedBeforeEpochSeconds: before }: Purge,
  { keyset, keyPrefix }: Pick<ValkeyConfiguration, "keyset" | "keyPrefix">,
  asJson: boolean,
): string {
  const issuedBefore = formatEpochSeconds(before);
  const noticedBy = formatEpochSeconds(before + NOTICED_WITHIN_SECONDS);
  const expiredBy = formatEpochSeconds(before + TOKEN_LIFETIME_SECONDS);
  const encrypted = keyset !== undefined;
  if (asJson) return `${JSON.stringify({ id, scope, issuedBefore, noticedBy, expiredBy, encrypted, keyPrefix })}\n`;
  return (
    `Purged: tokens that GitHub made before ${issuedBefore}.\n` +
    `Every instance that reaches the shared cache as it is configured here (${describeForm(encrypted, keyPrefix)}) notices by ${noticedBy}: it drops them, refuses older shared entries, and revokes at GitHub those it holds.\n` +
    `Out of reach: tokens handed out earlier that no instance holds any more. They live to their expiry, by ${expiredBy}; suspending the App's installation at GitHub is the full stop.\n`
  );
}

function describeForm(encrypted: boolean, keyPrefix: string): string {
  const form = encrypted ? "entries encrypted" : "entries in clear";
  return keyPrefix === "" ? `${form}, no key prefix` : `${form}, key prefix ${printable(keyPrefix)}`;
}
