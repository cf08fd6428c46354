const REDACTED = "[redacted]";

/**
 * A string that no log, error or JSON shows: printing it in any of the usual ways gives `[redacted]`.
 *
 * Guards against accidents, not against code that calls `reveal()`.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
