import * as v from "valibot";
import type { PurgeScope } from "./purge-scope.ts";

/** One decision to take tokens back. */
export interface Purge {
  /** Names the decision: an instance that has seen it does not judge its time again. */
  readonly id: string;
  readonly scope: PurgeScope;
  /** Tokens that GitHub made before this second are meant, by GitHub's clock. */
  readonly issuedBeforeEpochSeconds: number;
}

/**
 * The marker's name among the keys of the cache. No entry's key can equal it, whatever the prefix: in those, `//` stands behind the last
 * `:`. No claim's either: those end in `:claim`.
 */
export const MARKER_KEY = "tokens:purged";

/** Tokens live an hour and are not used when they end more than 65 minutes from now: what was made before then is over. */
export const PURGE_LASTS_MS = 70 * 60 * 1000;
/** A marker outlives each purge in it. */
export const MARKER_TTL_SECONDS = 2 * 60 * 60;
export const MOST_PURGES = 100;

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(512));
const id = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

const Scope = v.variant("kind", [
  v.strictObject({ kind: v.literal("all") }),
  v.strictObject({
    kind: v.literal("profile"),
    name,
    profileKind: v.optional(v.picklist(["pipeline", "organization"])),
  }),
  v.strictObject({ kind: v.literal("pipeline"), pipelineId: name }),
  v.strictObject({ kind: v.literal("app"), appId: id, installationId: id }),
]);

const Marker = v.strictObject({
  version: v.literal(1),
  purges: v.pipe(
    v.array(
      v.strictObject({
        id: v.pipe(v.string(), v.uuid()),
        scope: Scope,
        issuedBeforeEpochSeconds: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      }),
    ),
    v.maxLength(MOST_PURGES),
  ),
});

export function renderMarker(purges: readonly Purge[]): string {
  return JSON.stringify({ version: 1, purges });
}

/** The purges of a marker; undefined for any text that is none, of another version included. Never throws. */
export function parseMarker(text: string): readonly Purge[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(Marker, json);
  return parsed.success ? parsed.output.purges : undefined;
}
