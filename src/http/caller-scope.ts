import { parseRepositoryScope } from "../profiles/scope.ts";
import type { CallerScope } from "../vending/choose-target.ts";

const PARAMETER = "repository-scope";

/** Reads `?repository-scope=NAME`: once, never trimmed, one repository's name. The profile file's literals mean nothing here. */
export function readCallerScope(query: string): CallerScope {
  if (!query.includes(PARAMETER)) return { kind: "absent" };
  const values = new URLSearchParams(query).getAll(PARAMETER);
  const [value] = values;
  if (value === undefined) return { kind: "absent" };
  if (values.length > 1) return invalid("repository scope is given more than once");
  const scope = parseRepositoryScope(value);
  return scope.kind === "repository" ? scope : invalid(scope.cause);
}

function invalid(cause: string): CallerScope {
  return { kind: "invalid", cause };
}
