/** A key that occurs twice in one object of a JSON text, and where that object stands. */
export interface DuplicateKey {
  readonly path: readonly (string | number)[];
  readonly key: string;
}

interface Level {
  readonly keys: Set<string> | undefined;
  at: string | number;
}

/**
 * The first repeated key anywhere in `json`, which must already have passed `JSON.parse` (it keeps the last of the
 * repeated and tells nobody). Keys are compared as they read after unescaping.
 */
export function findDuplicateKey(json: string): DuplicateKey | undefined {
  const levels: Level[] = [];
  let atKey = false;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],]/g)) {
    const level = levels.at(-1);
    if (token === "{" || token === "[") {
      levels.push(token === "{" ? { keys: new Set(), at: "" } : { keys: undefined, at: 0 });
      atKey = token === "{";
    } else if (token === "}" || token === "]") {
      levels.pop();
      atKey = false;
    } else if (level !== undefined && token === ",") {
      atKey = level.keys !== undefined;
      if (typeof level.at === "number") level.at += 1;
    } else if (level?.keys !== undefined && atKey) {
      const key = String(JSON.parse(token));
      if (level.keys.has(key)) return { path: levels.slice(0, -1).map(({ at }) => at), key };
      level.keys.add(key);
      level.at = key;
      atKey = false;
    }
  }
  return undefined;
}
