import { RecentValues } from "./recent-values.ts";

const USED_ONCE = Symbol("used once");

/**
 * As `RecentValues`, for what can be made again: a value is kept from its key's second use on. Most keys are used once, and what is kept for
 * them costs more than making it.
 */
export class ReusedValues<Key, Value> {
  readonly #values: RecentValues<Key, Value | typeof USED_ONCE>;

  constructor(generation: number) {
    this.#values = new RecentValues(generation);
  }

  get(key: Key): Value | undefined {
    const known = this.#values.get(key);
    return known === USED_ONCE ? undefined : known;
  }

  /** What was made for this use of the key. */
  made(key: Key, value: Value): void {
    this.#values.set(key, this.#values.get(key) === undefined ? USED_ONCE : value);
  }
}
