/**
 * The name that someone probably meant: the known one nearest to `name`, ignoring case, when it is near enough to be a
 * slip (one change for every three letters) or when one begins with the other.
 *
 * Undefined: nothing is near. Of equals the first wins.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const ranked = known
    .map((candidate) => ({ candidate, distance: slips(wanted, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance !== undefined)
    .sort((left, right) => (left.distance ?? 0) - (right.distance ?? 0));
  return ranked[0]?.candidate;
}

function slips(wanted: string, candidate: string): number | undefined {
  const distance = editDistance(wanted, candidate);
  if (distance <= Math.max(1, Math.floor(Math.min(wanted.length, candidate.length) / 3))) return distance;
  const [short, long] = wanted.length < candidate.length ? [wanted, candidate] : [candidate, wanted];
  return short.length >= 3 && long.startsWith(short) ? distance : undefined;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment) that turn one text into the other. */
export function editDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, right.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
