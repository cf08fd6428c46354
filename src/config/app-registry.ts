import { nearestName } from "../lib/nearest-name.ts";
import { Secret } from "../lib/secret.ts";
import type { AppConfiguration, AppKeySource } from "./configuration.ts";
import { findDuplicateKey } from "./duplicate-key.ts";
import { kmsKeyArn, unfoldPem, type CheckPem } from "./key-format.ts";

export interface AppRegistry {
  readonly apps: readonly AppConfiguration[];
  /** Each names its entry, by index when its name is at fault, and never shows a key or its ARN. */
  readonly problems: readonly string[];
}

const KEYS = ["name", "appId", "installationId", "privateKeyArn", "privateKey"] as const;
const NAME = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/;

/**
 * Reads `GITHUB_APPS`: exactly one JSON array of `{name, appId, installationId}` with one of `privateKeyArn` and
 * `privateKey`; case-sensitive, no repeated and no other keys. Blank and `[]` are no registry.
 *
 * `apps` is complete only while `problems` is empty. Whether the Apps exist is GitHub's to say.
 */
export function parseAppRegistry(json: string, checkPem: CheckPem): AppRegistry {
  if (json.trim() === "") return { apps: [], problems: [] };
  const entries = parseJson(json);
  if (!Array.isArray(entries)) {
    return { apps: [], problems: [entries === undefined ? "is not one JSON document" : "is JSON, but not an array"] };
  }
  const duplicate = findDuplicateKey(json);
  if (duplicate !== undefined) {
    return { apps: [], problems: [`entry at index ${duplicate.path[0] ?? 0}: ${named(duplicate.key)} is repeated`] };
  }
  const apps: AppConfiguration[] = [];
  const problems: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const parsed = parseEntry(entry, index, apps, checkPem);
    if ("problems" in parsed) problems.push(...parsed.problems);
    else apps.push(parsed);
  }
  return { apps, problems };
}

/** Undefined when it is not JSON: the engine's own message would quote what it found. */
function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function parseEntry(
  entry: unknown,
  index: number,
  earlier: readonly AppConfiguration[],
  checkPem: CheckPem,
): AppConfiguration | { readonly problems: readonly string[] } {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return { problems: [`entry at index ${index}: is not an object`] };
  }
  const fields = new Map<string, unknown>(Object.entries(entry));
  const name = fields.get("name");
  const nameProblem = problemOfName(name, earlier);
  const unknown = [...fields.keys()].filter((key) => !KEYS.some((known) => known === key));
  const key = readKey(fields.get("privateKeyArn"), fields.get("privateKey"), checkPem);
  const appId = positiveInteger(fields.get("appId"));
  const installationId = positiveInteger(fields.get("installationId"));
  if (
    typeof name === "string" &&
    nameProblem === undefined &&
    unknown.length === 0 &&
    typeof key === "object" &&
    appId !== undefined &&
    installationId !== undefined
  ) {
    return { name, appId, installationId, key };
  }
  const where = typeof name === "string" && nameProblem === undefined ? `entry "${name}"` : `entry at index ${index}`;
  const problems = [
    nameProblem,
    ...unknown.map(describeUnknown),
    appId === undefined ? "appId is not a positive integer" : undefined,
    installationId === undefined ? "installationId is not a positive integer" : undefined,
    typeof key === "string" ? key : undefined,
  ];
  return { problems: problems.filter((problem) => problem !== undefined).map((problem) => `${where}: ${problem}`) };
}

function problemOfName(name: unknown, earlier: readonly AppConfiguration[]): string | undefined {
  if (name === undefined) return "name is missing";
  if (typeof name !== "string" || name.length > 64 || !NAME.test(name)) {
    return "name is not 1 to 64 of a-z, 0-9, '.', '_' and '-' with a letter or digit at both ends";
  }
  if (name === "default") return 'name is "default", which GITHUB_APP_ID describes';
  return earlier.some((app) => app.name === name) ? "name is that of an earlier entry" : undefined;
}

function readKey(arn: unknown, pem: unknown, checkPem: CheckPem): AppKeySource | string {
  if ((arn === undefined) === (pem === undefined)) return "exactly one of privateKeyArn and privateKey must be there";
  if (arn !== undefined) {
    if (typeof arn !== "string" || kmsKeyArn.read(arn).kind === "refused") {
      return "privateKeyArn is not the ARN of a KMS key or alias";
    }
    return { kind: "privateKeyArn", arn };
  }
  if (typeof pem !== "string") return "privateKey is not a string";
  const unfolded = unfoldPem(pem);
  const problem = checkPem(unfolded);
  return problem === undefined ? { kind: "privateKey", pem: new Secret(unfolded) } : `privateKey ${problem}`;
}

function positiveInteger(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

function describeUnknown(key: string): string {
  const nearest = nearestName(key, KEYS);
  return `${named(key)} is unknown${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}

/** A key is shown only when it looks like one: a slip with the quotes can turn a secret into a key. */
function named(key: string): string {
  return /^[A-Za-z_]{1,24}$/.test(key) ? `the key ${key}` : "a key";
}
