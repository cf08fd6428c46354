import { sign, type KeyObject } from "node:crypto";
import { isJsonObject, parseJson, type JsonObject } from "./json.ts";

/**
 * A compact JWS over exactly these texts, signed with SHA-256 and the key. Nothing is checked: tests make broken tokens with it
 * (members given twice, an `alg` that is not the key's).
 */
export function signCompact(headerText: string, payloadText: string, privateKey: KeyObject): string {
  const input = `${encode(headerText)}.${encode(payloadText)}`;
  const signature = sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

export function signJwt(header: JsonObject, claims: JsonObject, privateKey: KeyObject): string {
  return signCompact(JSON.stringify(header), JSON.stringify(claims), privateKey);
}

/** What a token says of itself, verified by nobody; undefined when its header or payload is no JSON object. */
export function peekClaims(token: string): JsonObject | undefined {
  const [header, claims] = token.split(".").map((part) => parseJson(Buffer.from(part, "base64url").toString("utf8")));
  return isJsonObject(header) && isJsonObject(claims) ? claims : undefined;
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64url");
}
