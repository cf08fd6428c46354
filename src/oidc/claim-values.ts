/** Claims that profiles may match on, by their names in the token, as text. A `Map` is one too. */
export interface ClaimValues {
  readonly get: (name: string) => string | undefined;
  readonly keys: () => Iterable<string>;
}

/**
 * Few claims, kept in little room: thousands of tokens are remembered, and a `Map` of ten claims takes a kilobyte. The names are the
 * same few objects in all of them, and each is there once.
 */
export class CompactClaims implements ClaimValues {
  readonly #names: readonly string[];
  readonly #values: readonly string[];

  constructor(claims: readonly (readonly [name: string, value: string])[]) {
    this.#names = claims.map(([name]) => name);
    this.#values = claims.map(([, value]) => value);
  }

  get(name: string): string | undefined {
    const at = this.#names.indexOf(name);
    return at === -1 ? undefined : this.#values[at];
  }

  keys(): Iterable<string> {
    return this.#names;
  }
}
