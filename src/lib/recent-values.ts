/**
 * Values of keys that were used lately: of the last `generation` different ones at least, of twice as many at most. What nobody uses
 * any more goes with its generation, without being looked at.
 */
export class RecentValues<Key, Value> {
  readonly #generation: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(generation: number) {
    this.#generation = generation;
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#generation && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Looks at all of them. Their places stay taken until their generation goes: too few are held for a while, never too many. */
  deleteWhere(isGone: (value: Value) => boolean): void {
    for (const generation of [this.#young, this.#old]) {
      for (const [key, value] of generation) if (isGone(value)) generation.delete(key);
    }
  }
}
