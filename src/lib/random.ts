/** `size` fresh bytes that nobody can predict, handed in wherever randomness is needed so that tests own it. */
export type RandomBytes = (size: number) => Uint8Array<ArrayBuffer>;

/** The runtime's cryptographic generator. At most 65,536 bytes a call. */
export const systemRandom: RandomBytes = (size) => crypto.getRandomValues(new Uint8Array(size));
