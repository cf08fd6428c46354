import { isRepositoryName } from "../github/repository-name.ts";
import type { ProfileEntry } from "./document.ts";
import { type Located, quoted } from "./finding.ts";
import type { OrganizationReach } from "./policy.ts";
import type { ProblemSink } from "./problem-sink.ts";

const DEPRECATED_ALL = "*";

const LITERALS: ReadonlyMap<string, OrganizationReach> = new Map([
  ["{{all-repositories}}", { kind: "all" }],
  [DEPRECATED_ALL, { kind: "all" }],
  ["{{caller-scoped-repository}}", { kind: "caller-scoped" }],
]);

/**
 * The repositories of an organization profile; undefined after reporting what is wrong. A literal means something only when
 * it is written exactly and stands alone: anything else that looks like one is no repository name either.
 */
export function compileReach({ repositories, at }: ProfileEntry, problems: ProblemSink): OrganizationReach | undefined {
  const [first, ...others] = repositories?.value ?? [];
  if (first === undefined) {
    problems.error("empty-repositories", repositories?.at ?? at, "repositories is empty");
    return undefined;
  }
  const all = [first, ...others];
  const literal = all.find(({ value }) => LITERALS.has(value));
  if (literal === undefined) return compileNames(all, problems);
  if (others.length > 0) {
    problems.error("literal-not-alone", literal.at, `${literal.value} must be the only entry of repositories`);
    return undefined;
  }
  if (literal.value === DEPRECATED_ALL) {
    problems.warn("deprecated-wildcard", literal.at, '"*" is deprecated; write "{{all-repositories}}"');
  }
  return LITERALS.get(literal.value);
}

/** Names in the order of the file. GitHub ignores their case, so one that differs in case alone is the same one again. */
function compileNames(entries: readonly Located<string>[], problems: ProblemSink): OrganizationReach | undefined {
  const names = new Map<string, string>();
  let valid = true;
  for (const { value, at } of entries) {
    if (!isRepositoryName(value)) {
      const hint = value.includes("/") ? "; leave the owner out" : "";
      problems.error("malformed-repository", at, `${quoted(value)} is not the name of a repository${hint}`);
      valid = false;
    } else if (names.has(value.toLowerCase())) {
      problems.warn("repeated-repository", at, `${quoted(value)} is named twice`);
    } else {
      names.set(value.toLowerCase(), value);
    }
  }
  const [first, ...others] = names.values();
  // A list that names nothing must fail here: GitHub would read it as every repository.
  return valid && first !== undefined ? { kind: "names", names: [first, ...others] } : undefined;
}
