/** How many slots a cluster divides its keys into. */
export const SLOT_COUNT = 16384;

/**
 * A key's slot: CRC16 (XMODEM) of its bytes modulo 16384, of the part between the first `{` and the next `}` where
 * that is not empty. Our keys come with braces only if a profile's name has them; the rule is the server's.
 *
 * @see https://valkey.io/topics/cluster-spec/
 */
export function hashSlot(key: string): number {
  const bytes = Buffer.from(key);
  const open = bytes.indexOf(0x7b);
  const close = open === -1 ? -1 : bytes.indexOf(0x7d, open + 1);
  return crc16(close > open + 1 ? bytes.subarray(open + 1, close) : bytes) % SLOT_COUNT;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc;
}
