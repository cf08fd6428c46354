import { systemRandom } from "../../src/lib/random.ts";
import { addKey, createKeyset, destroyKey, disableKey, promoteKey } from "../../src/tink/edit-keyset.ts";
import { writeEncryptedKeyset } from "../../src/tink/encrypted-keyset.ts";
import { KEY_TEMPLATES } from "../../src/tink/key-templates.ts";
import { writeKeysetBinary } from "../../src/tink/keyset-binary.ts";
import { writeCleartextKeyset } from "../../src/tink/keyset-json.ts";
import type { Keyset } from "../../src/tink/keyset.ts";
import type { KeysetKind } from "./tink-go.ts";

export interface MutatedKeyset {
  readonly kind: KeysetKind;
  readonly keyset: Uint8Array;
}

/** What readers of numbers, enums and base64 tend to disagree about. */
const SCALARS = [
  ..."0 1 -0 1.0 1e0 10e-1 0.1e1 01 1. 1e -1 4294967295 4294967296 1e400 0e999999999999 null true [] {}".split(" "),
  ...'"1" "1 2" "1," "1e0" "01" "+1" "" "ENABLED" "DISABLED" "DESTROYED" "TINK" "RAW" "enabled"'.split(" "),
  ...String.raw`1.50e1 15.0 1E+0 1e-0 "\u0031" 2 3 4 5 2147483647 2147483648 -2147483648`.split(" "),
];
const BASE64 =
  String.raw`AA== AA= AA AAA AAAA A +-AA +_ -_-_ AA\r\n== AAAA==== = == ==== A=== AB== \u0041AAA AAAA\n`.split(" ");
const TAGS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0a, 0x0b, 0x0c, 0x10, 0x12, 0x18, 0x1a, 0x20, 0x80, 0xff];

/** Keysets with one or two things wrong, or nothing; the same ones for the same seed, but for the key bytes. */
export function createMutatedKeysets(count: number, seed: number): MutatedKeyset[] {
  const dice = createDice(seed);
  return Array.from({ length: count }, () => {
    const keyset = createHistory(dice);
    const binary = writeKeysetBinary(keyset);
    const json = writeCleartextKeyset(keyset);
    switch (dice.below(7)) {
      case 0:
        return { kind: "binary", keyset: mutateBytes(binary, dice) };
      case 1:
        return { kind: "binary", keyset: binary.with(dice.below(Math.min(90, binary.length)), dice.pick(TAGS)) };
      case 2:
        return { kind: "json", keyset: utf8(replaceOne(json, /(?<=:)(?:\d+|"[A-Z_]+")/g, dice.pick(SCALARS), dice)) };
      case 3:
        return { kind: "json", keyset: utf8(replaceOne(json, /(?<="value":")[^"]*/g, dice.pick(BASE64), dice)) };
      case 4:
        return { kind: "json", keyset: mutateBytes(utf8(json), dice) };
      case 5:
        return {
          kind: "json",
          keyset: utf8(replaceOne(json, /(?<=")[a-z]+[A-Z]?[A-Za-z]*(?=":)/g, rename(dice), dice)),
        };
      default: {
        const document = writeEncryptedKeyset(binary, keyset);
        const changed = replaceOne(document, /(?<=:)(?:\d+|"[A-Z_]+")/g, dice.pick(SCALARS), dice);
        return { kind: "encrypted", keyset: utf8(changed) };
      }
    }
  });
}

/** A keyset as a history of edits leaves it: several types, prefixes and states. */
export function createHistory(dice: Dice): Keyset {
  let keyset = createKeyset(dice.pick(KEY_TEMPLATES), systemRandom);
  for (let more = dice.below(4); more > 0; more--) {
    const { keyset: added, keyId } = addKey(keyset, dice.pick(KEY_TEMPLATES), systemRandom);
    const edit = dice.pick([(same: Keyset) => same, promoteKey, disableKey, destroyKey]);
    keyset = edit(added, keyId);
  }
  return keyset;
}

export interface Dice {
  /** 0 to `limit` - 1. */
  readonly below: (limit: number) => number;
  readonly pick: <T>(from: readonly T[]) => T;
}

export function createDice(seed: number): Dice {
  let state = seed;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return { below, pick: (from) => from[below(from.length)]! };
}

export function mutateBytes(original: Uint8Array, dice: Dice): Uint8Array {
  const bytes = [...original];
  for (let more = 1 + dice.below(2); more > 0; more--) {
    const at = dice.below(bytes.length);
    const byte = dice.pick([dice.below(256), ...utf8('{}[]",:\\ 019-+.eE_')]);
    bytes.splice(at, dice.below(2), ...(dice.below(2) === 0 ? [byte] : []));
  }
  return Uint8Array.from(bytes);
}

function replaceOne(
  text: string,
  pattern: RegExp,
  replacement: string | ((found: string) => string),
  dice: Dice,
): string {
  const found = dice.pick([...text.matchAll(pattern)]);
  const by = typeof replacement === "string" ? replacement : replacement(found[0]);
  return text.slice(0, found.index) + by + text.slice(found.index + found[0].length);
}

function rename(dice: Dice): (name: string) => string {
  return dice.pick<(name: string) => string>([
    (name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    (name) => name.charAt(0).toUpperCase() + name.slice(1),
    (name) => name.toLowerCase(),
    (name) => `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
    (name) => `${name}":null,"${name}`,
    () => "@type",
  ]);
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
