/** What a class of Unicode's costs, once however often it is copied, as so many copies of other things: its ranges are hundreds. */
const UNICODE_CLASS = 60;

/**
 * What a pattern costs beyond its own length, about, in RE2's instructions: the copies that counts make, and classes of Unicode's. The
 * length itself is bounded by the file's.
 */
export function estimatePatternCost(source: string): number {
  const classes = source.match(/\\[pP]/g)?.length ?? 0;
  return Math.max(0, estimatePatternSize(source) - source.length) + classes * UNICODE_CLASS;
}

/**
 * About how many instructions RE2 makes of a pattern, rather more than fewer: what is counted (`{n,m}`) is copied that often. Read from
 * the text alone, in time in proportion to it, before anything is compiled: `\pL{1000}` a thousand times over is 9 KB of text, takes
 * twenty seconds and costs gigabytes. Takes any text; what is wrong with it is for the compiler to say.
 */
export function estimatePatternSize(source: string): number {
  const outside: number[] = [];
  let total = 0;
  let last = 0;
  for (let at = 0; at < source.length;) {
    const part = readPart(source, at);
    const before = last;
    at = part.end;
    switch (part.kind) {
      case "open":
        outside.push(total);
        total = 0;
        last = 0;
        break;
      case "close":
        last = total + GROUP;
        total = (outside.pop() ?? 0) + last;
        break;
      case "count":
        last = before * part.copies + part.optional;
        total += last - before;
        break;
      case "atom":
        last = part.size;
        total += last;
    }
  }
  return outside.reduce((sum, size) => sum + size, total);
}

/** Where a group begins and where it ends. */
const GROUP = 2;

type Part = { readonly end: number } & (
  | { readonly kind: "open" | "close" }
  /** What stands before it, so many times; each optional one is an instruction more. */
  | { readonly kind: "count"; readonly copies: number; readonly optional: number }
  | { readonly kind: "atom"; readonly size: number }
);

function readPart(source: string, at: number): Part {
  switch (source[at]) {
    case "(":
      return { kind: "open", end: at + 1 };
    case ")":
      return { kind: "close", end: at + 1 };
    case "{":
      return readCount(source, at) ?? { kind: "atom", size: 1, end: at + 1 };
    case "[":
      return { kind: "atom", size: 1, end: endOfClass(source, at) };
    case "\\":
      return readEscape(source, at);
    default:
      return { kind: "atom", size: 1, end: at + 1 };
  }
}

function readCount(source: string, at: number): Part | undefined {
  const count = /\{(\d+)(,(\d*))?\}/y;
  count.lastIndex = at;
  const [text, least = "", range, most = ""] = count.exec(source) ?? [];
  if (text === undefined) return undefined;
  const copies = Math.max(1, Number(least), Number(most));
  const optional = range === undefined ? 0 : copies - Number(least) + 1;
  return { kind: "count", copies, optional, end: at + text.length };
}

function readEscape(source: string, at: number): Part {
  if (source[at + 1] === "Q") {
    const end = behind(source, "\\E", at + 2);
    return { kind: "atom", size: end - at, end };
  }
  const hasName = /[pPx]/.test(source[at + 1] ?? "") && source[at + 2] === "{";
  return { kind: "atom", size: 1, end: hasName ? behind(source, "}", at + 3) : at + 2 };
}

/** A bracket that stands first is a member; `[:alpha:]` within is closed by itself. */
function endOfClass(source: string, start: number): number {
  let at = source[start + 1] === "^" ? start + 2 : start + 1;
  const first = at;
  while (at < source.length && (source[at] !== "]" || at === first)) {
    if (source[at] === "\\") at += 2;
    else if (source.startsWith("[:", at)) at = behind(source, ":]", at + 2);
    else at += 1;
  }
  return at + 1;
}

/** What is never closed goes on to the end. */
function behind(source: string, closing: string, from: number): number {
  const index = source.indexOf(closing, from);
  return index < 0 ? source.length : index + closing.length;
}
