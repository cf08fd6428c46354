import { isRepositoryName } from "../github/repository-name.ts";
import { readMatchableClaims } from "../oidc/buildkite-claims.ts";
import { InvalidToken } from "../oidc/invalid-token.ts";
import { createShapeReader, type ShapeReader } from "./document-shape.ts";
import { type Finding, inFileOrder, type Located, quoted } from "./finding.ts";
import type { SourceNode } from "./source-node.ts";
import { decodeSource } from "./source-text.ts";
import { readSourceTree } from "./source-tree.ts";
import type { ClaimValues } from "../oidc/claim-values.ts";

const OUTCOMES = ["granted", "refused", "unavailable", "needs-scope"] as const;

export type ExpectedOutcome = (typeof OUTCOMES)[number];

/** One row of a table for `profiles test`: what somebody should get. */
export interface PolicyCase {
  /** Its own, or `case N`, counted from 1. */
  readonly name: string;
  /** As it is written: `repo:NAME`, `org:NAME` or `NAME`. */
  readonly profile: string;
  readonly claims: ClaimValues;
  readonly repository?: string;
  readonly expect: ExpectedOutcome;
}

export type CasesReading =
  | { readonly kind: "cases"; readonly cases: readonly PolicyCase[] }
  /** In file order; never empty. */
  | { readonly kind: "refused"; readonly findings: readonly Finding[] };

/**
 * Reads `cases: [{name?, profile, claims, repository?, expect}]`, with the strictness of the profile file. Claims are a map as in a token:
 * `build_number` is a number, the others are text. Never throws.
 */
export function readCases(bytes: Uint8Array): CasesReading {
  const source = decodeSource(bytes);
  if (source.kind === "refused") return { kind: "refused", findings: [source.finding] };
  const tree = readSourceTree(source.text);
  if (tree.kind === "refused") return { kind: "refused", findings: inFileOrder(tree.findings) };
  const reader = createShapeReader();
  const file = reader.map(tree.root, "the file", ["cases"]);
  const nodes = reader.list(file.get("cases"), "cases")?.value ?? [];
  const cases = nodes.flatMap((node, index) => readCase(node, index, reader) ?? []);
  if (nodes.length === 0) reader.report("invalid-case", tree.root.at, "the file holds no cases");
  return reader.findings.length > 0
    ? { kind: "refused", findings: inFileOrder(reader.findings) }
    : { kind: "cases", cases };
}

function readCase(node: SourceNode, index: number, reader: ShapeReader): PolicyCase | undefined {
  const fields = reader.item(node, "a case", ["name", "profile", "claims", "repository", "expect"]);
  if (node.kind !== "map") return undefined;
  const require = <T>(value: T | undefined, field: string): T | undefined => {
    if (value === undefined && !fields.has(field)) reader.report("invalid-case", node.at, `the case has no ${field}`);
    return value;
  };
  const name = reader.text(fields.get("name"), "name")?.value ?? `case ${index + 1}`;
  const profile = require(reader.text(fields.get("profile"), "profile"), "profile")?.value;
  const claims = require(readClaims(fields.get("claims"), reader), "claims");
  const repository = readRepository(reader.text(fields.get("repository"), "repository"), reader);
  const expect = readOutcome(require(reader.text(fields.get("expect"), "expect"), "expect"), reader);
  if (profile === undefined || claims === undefined || expect === undefined) return undefined;
  return { name, profile, claims, expect, ...(repository === undefined ? {} : { repository }) };
}

/** By the code that reads a token's claims: what would be refused there is no claim here. */
function readClaims(node: SourceNode | undefined, reader: ShapeReader): ClaimValues | undefined {
  if (node === undefined) return undefined;
  const fields = reader.item(node, "claims");
  const values = Array.from(fields, ([claim, value]): [string, unknown] => {
    if (value.kind === "number" || value.kind === "text") return [claim, value.value];
    return [claim, value.kind === "boolean"];
  });
  try {
    return readMatchableClaims(Object.fromEntries(values)).claims;
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
    reader.report("invalid-case", node.at, `${error.message}: the service would refuse such a token`);
    return undefined;
  }
}

function readRepository(name: Located<string> | undefined, reader: ShapeReader): string | undefined {
  if (name === undefined || isRepositoryName(name.value)) return name?.value;
  reader.report("invalid-case", name.at, `${quoted(name.value)} is not the name of a repository`);
  return undefined;
}

function readOutcome(outcome: Located<string> | undefined, reader: ShapeReader): ExpectedOutcome | undefined {
  if (outcome === undefined) return undefined;
  const known = OUTCOMES.find((one) => one === outcome.value);
  if (known === undefined) {
    reader.report("invalid-case", outcome.at, `expect is one of ${OUTCOMES.join(", ")}, not ${quoted(outcome.value)}`);
  }
  return known;
}
