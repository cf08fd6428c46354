/** The claims that a rule may name, agent tags apart. */
export const MATCHABLE_CLAIMS: ReadonlySet<string> = new Set([
  "pipeline_slug",
  "pipeline_id",
  "build_number",
  "build_branch",
  "build_tag",
  "build_commit",
  "cluster_id",
  "cluster_name",
  "queue_id",
  "queue_key",
]);

const AGENT_TAG = "agent_tag:";

/** GitHub and Buildkite names are far shorter; matching takes time in proportion to the value. */
const MAX_VALUE_CHARACTERS = 256;

const SPACE_OR_CONTROL = /[\p{White_Space}\p{Cc}]/u;

/** Whether a rule may name this claim. An agent tag's name holds no white space or control character. */
export function isMatchableClaim(claim: string): boolean {
  if (!claim.startsWith(AGENT_TAG)) return MATCHABLE_CLAIMS.has(claim);
  const tag = claim.slice(AGENT_TAG.length);
  return tag !== "" && isClean(tag);
}

/** Whether rules may read this value at all: 256 characters (code points) at most, no Unicode white space, no control character. */
export function isMatchableValue(value: string): boolean {
  return isClean(value) && (value.length <= MAX_VALUE_CHARACTERS || countCharacters(value) <= MAX_VALUE_CHARACTERS);
}

/** Half a surrogate pair is no character: two regular expression engines need not agree on what it is. */
function isClean(text: string): boolean {
  return text.isWellFormed() && !SPACE_OR_CONTROL.test(text);
}

function countCharacters(text: string): number {
  let count = 0;
  for (const _character of text) count++;
  return count;
}
