import { createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { FIXED_START_MS } from "./fixed-clock.ts";

/** An RSA key of a pretended issuer. */
export interface IssuerKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public half as a key set has it. */
  readonly jwk: Readonly<Record<"kty" | "n" | "e" | "kid" | "use" | "alg", string>>;
}

export const ISSUER = "https://issuer.example";
export const AUDIENCE = "app-token-issuer";
export const NOW_SECONDS = FIXED_START_MS / 1000;

export function createIssuerKey(kid: string, modulusLength = 2048): IssuerKey {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  return { kid, privateKey, jwk: { kty: "RSA", n, e, kid, use: "sig", alg: "RS256" } };
}

/** A full set of claims, as an agent gets them with `--claim pipeline_id`. */
export const CLAIMS: Readonly<Record<string, unknown>> = {
  iss: ISSUER,
  sub: "organization:acme:pipeline:widget:ref:refs/heads/main:commit:0a1b2c:step:build",
  aud: AUDIENCE,
  iat: NOW_SECONDS,
  nbf: NOW_SECONDS,
  exp: NOW_SECONDS + 300,
  organization_slug: "acme",
  organization_id: "0180aaaa-0000-4000-8000-000000000001",
  pipeline_slug: "widget",
  pipeline_id: "0180aaaa-0000-4000-8000-000000000002",
  build_number: 42,
  build_branch: "main",
  build_tag: "v1.2.3",
  build_commit: "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
  step_key: "build",
  job_id: "0180aaaa-0000-4000-8000-000000000003",
  agent_id: "0180aaaa-0000-4000-8000-000000000004",
  "agent_tag:queue": "default",
};

export function encode(value: string | Uint8Array): string {
  return Buffer.from(value).toString("base64url");
}

/** Signs any header and payload, as text or as a value: what a broken or hostile issuer could make. */
export function signToken(
  key: IssuerKey,
  payload: unknown = CLAIMS,
  header: unknown = { alg: "RS256", typ: "JWT", kid: key.kid },
): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  return `${input}.${encode(sign("RSA-SHA256", Buffer.from(input), key.privateKey))}`;
}

/** The key-confusion attack: HS256 with the text of a public key as the secret. */
export function signWithHmac(secret: string, payload: unknown, header: unknown): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

function encodePart(part: unknown): string {
  return encode(typeof part === "string" ? part : JSON.stringify(part));
}
