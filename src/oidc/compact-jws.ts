import { InvalidToken } from "./invalid-token.ts";
import { parseJsonObject, type JsonObject } from "./json-object.ts";

/** A JWS in compact serialization, taken apart. Nothing in it has been verified. */
export interface CompactJws {
  /** Absent when the token names no key. The only thing of the header that is ever used. */
  readonly kid?: string;
  /** What the signature covers: header and payload as they came. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
  /** In base64url, known to decode and to be canonical. */
  readonly encodedPayload: string;
}

/** An OIDC token of Buildkite is about 1.5 KiB; whatever is larger is not worth parsing. */
const MAX_TOKEN_LENGTH = 8 * 1024;

/**
 * Takes a JWS apart (RFC 7515, section 3.1), accepting only what RS256 tokens need:
 * three parts in canonical base64url (no padding, no stray bits, no white space, none of `+` and `/`), at most 8 KiB; a header
 * that is one JSON object without repeated members, `alg` RS256, a `kid` that is text, and neither `crit` nor `b64`.
 *
 * Other header members (`jku`, `jwk`, `x5u`, `x5c`, …) are never read: no key comes from a caller. Does not verify.
 * Throws `InvalidToken`.
 */
export function parseCompactJws(jwt: string): CompactJws {
  if (jwt.length > MAX_TOKEN_LENGTH) throw new InvalidToken("the token is over 8 KiB");
  const parts = jwt.split(".", 4);
  const [encodedHeader, encodedPayload, encodedSignature] = parts;
  if (
    encodedHeader === undefined ||
    encodedPayload === undefined ||
    encodedSignature === undefined ||
    parts.length > 3
  ) {
    throw new InvalidToken("the token is not a JWS of three parts");
  }
  const header = parseHeader(decodeCanonical(encodedHeader, "header"));
  decodeCanonical(encodedPayload, "payload");
  return {
    ...header,
    signingInput: `${encodedHeader}.${encodedPayload}`,
    signature: decodeCanonical(encodedSignature, "signature"),
    encodedPayload,
  };
}

/** Decodes base64url that has one spelling only: whoever changes a character of a token changes what it says. */
function decodeCanonical(encoded: string, part: string): Uint8Array {
  const bytes = Buffer.from(encoded, "base64url");
  // Buffer skips what it does not know and takes both alphabets; re-encoding shows all of that, padding and stray bits too.
  if (bytes.length === 0 || bytes.toString("base64url") !== encoded) {
    throw new InvalidToken(`the ${part} is empty or not canonical base64url`);
  }
  return bytes;
}

function parseHeader(bytes: Uint8Array): { readonly kid?: string } {
  const header = parseJsonObject(bytes);
  if (header === undefined) throw new InvalidToken("the header is not one JSON object with distinct members");
  if (header["alg"] !== "RS256") throw new InvalidToken("the header's alg is not RS256");
  for (const name of ["crit", "b64"]) {
    if (Object.hasOwn(header, name)) throw new InvalidToken(`the header has ${name}, which is not supported`);
  }
  return readKid(header);
}

function readKid(header: JsonObject): { readonly kid?: string } {
  if (!Object.hasOwn(header, "kid")) return {};
  const kid = header["kid"];
  if (typeof kid !== "string") throw new InvalidToken("the header's kid is not a string");
  return { kid };
}
