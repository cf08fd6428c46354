import { Secret } from "../lib/secret.ts";

export type Reading<T> =
  { readonly kind: "read"; readonly value: T } | { readonly kind: "refused"; readonly problem: string };

/** How the text of a variable becomes a value. `problem` says what is wrong and never repeats the text. */
export interface Format<T> {
  /** For a person: `a whole number from 0 to 65535`. */
  readonly accepted: string;
  readonly read: (text: string) => Reading<T>;
}

export function read<T>(value: T): Reading<T> {
  return { kind: "read", value };
}

export function refused(problem: string): Reading<never> {
  return { kind: "refused", problem };
}

/** `true`, `false`, `1`, `0`, `t`, `f` in any case. */
export const flag: Format<boolean> = {
  accepted: "true, false, 1, 0, t or f",
  read: (text) => {
    if (/^(true|1|t)$/i.test(text)) return read(true);
    return /^(false|0|f)$/i.test(text) ? read(false) : refused("is neither true nor false");
  },
};

/** Decimal digits and nothing else: no sign, point, exponent or space. */
export function wholeNumber(least: number, most: number): Format<number> {
  return {
    accepted: `a whole number from ${least} to ${most}`,
    read: (text) => {
      if (!/^\d{1,16}$/.test(text)) return refused("is not a whole number");
      const value = Number(text);
      return value >= least && value <= most ? read(value) : refused("is out of range");
    },
  };
}

/** As `wholeNumber`, with 0 for no limit, which becomes `Infinity` so that comparisons need no special case. */
export function limit(most: number): Format<number> {
  const number = wholeNumber(0, most);
  return {
    accepted: `${number.accepted}; 0 for no limit`,
    read: (text) => {
      const reading = number.read(text);
      return reading.kind === "read" && reading.value === 0 ? read(Number.POSITIVE_INFINITY) : reading;
    },
  };
}

/** Whole seconds, given out as milliseconds. */
export function seconds(least: number, most: number): Format<number> {
  const number = wholeNumber(least, most);
  return {
    accepted: `whole seconds from ${least} to ${most}`,
    read: (text) => {
      const reading = number.read(text);
      return reading.kind === "read" ? read(reading.value * 1000) : reading;
    },
  };
}

/** One of a few words, spelt exactly so. */
export function choice<const T extends string>(...words: readonly T[]): Format<T> {
  return {
    accepted: words.join(" or "),
    read: (text) => {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? refused("is none of the words it may be") : read(word);
    },
  };
}

const CONTROL = /\p{Cc}/u;

/** Any text without control characters. */
export function lineOfText(accepted: string): Format<string> {
  return {
    accepted,
    read: (value) => (CONTROL.test(value) ? refused("has a control character in it") : read(value)),
  };
}

/** Text of which all must match `pattern`; `problem` is what to say when it does not. */
export function matching(accepted: string, pattern: RegExp, problem: string): Format<string> {
  return { accepted, read: (value) => (pattern.test(value) ? read(value) : refused(problem)) };
}

/** A secret that goes into one header: white space or a control character in it is a slip when it was pasted. */
export function tokenSecret(accepted: string): Format<Secret> {
  return secretWithout(/\s|\p{Cc}/u, "has white space or a control character in it", accepted);
}

/** A password: anything but control characters. */
export function passwordSecret(accepted: string): Format<Secret> {
  return secretWithout(CONTROL, "has a control character in it", accepted);
}

function secretWithout(pattern: RegExp, problem: string, accepted: string): Format<Secret> {
  return { accepted, read: (value) => (pattern.test(value) ? refused(problem) : read(new Secret(value))) };
}

/** A document that its owner checks; kept out of sight meanwhile. */
export function secretDocument(accepted: string): Format<Secret> {
  return { accepted, read: (value) => read(new Secret(value)) };
}
