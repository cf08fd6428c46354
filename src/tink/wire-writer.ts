/** A number field; like every default, 0 is not written. `value` is 0 to 2^32-1. */
export function varintField(number: number, value: number): Uint8Array {
  return value === 0 ? new Uint8Array() : Uint8Array.from([...varint(number * 8), ...varint(value)]);
}

/** A bytes, string or message field, written also when empty: for a message, present and absent differ. */
export function presentField(number: number, bytes: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes]);
}

/** A bytes or string field, left out when empty. */
export function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? new Uint8Array() : presentField(number, bytes);
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  while (left >= 0x80) {
    bytes.push((left % 0x80) + 0x80);
    left = Math.floor(left / 0x80);
  }
  return [...bytes, left];
}
