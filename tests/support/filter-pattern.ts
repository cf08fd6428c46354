/**
 * A filter pattern of CloudWatch Logs for JSON lines, the part that ours use: conditions on fields joined by `&&`, compared with a number or
 * with a text in which `*` stands for anything ("Filter pattern syntax", CloudWatch Logs User Guide). Throws for anything else.
 */
export function parseFilterPattern(pattern: string): (line: Readonly<Record<string, unknown>>) => boolean {
  const body = /^\{ (.*) \}$/.exec(pattern)?.[1];
  if (body === undefined) throw new Error(`no pattern for JSON: ${pattern}`);
  const conditions = body.split(" && ").map(parseCondition);
  return (line) => conditions.every((holds) => holds(line));
}

export function fieldOf(line: Readonly<Record<string, unknown>>, path: string): unknown {
  return path.split(".").reduce<any>((at, name) => at?.[name], line);
}

function parseCondition(text: string): (line: Readonly<Record<string, unknown>>) => boolean {
  const [, path, operator, quoted, number] = /^\(\$\.([\w.]+) (=|!=|>=|>|<) (?:"([^"]*)"|(\d+))\)$/.exec(text) ?? [];
  if (path === undefined || operator === undefined) throw new Error(`no condition: ${text}`);
  return (line) => {
    const value = fieldOf(line, path);
    if (value === undefined) return false;
    if (number !== undefined) return compare(Number(value), operator, Number(number));
    const wanted = new RegExp(
      `^${(quoted ?? "")
        .split("*")
        .map((part) => RegExp.escape(part))
        .join(".*")}$`,
      "s",
    );
    return wanted.test(typeof value === "string" ? value : JSON.stringify(value)) === (operator === "=");
  };
}

function compare(value: number, operator: string, limit: number): boolean {
  switch (operator) {
    case "=":
      return value === limit;
    case ">=":
      return value >= limit;
    case ">":
      return value > limit;
    case "<":
      return value < limit;
    default:
      throw new Error(`numbers are not compared by ${operator}`);
  }
}
