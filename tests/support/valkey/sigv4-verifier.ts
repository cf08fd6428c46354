import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** What a server that checks IAM tokens knows about itself and about the one access key there is. */
export interface TokenExpectations {
  readonly service: "elasticache" | "memorydb";
  readonly region: string;
  /** As AWS stored it, in lower case. */
  readonly cacheName: string;
  readonly serverless: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Absent: any session token, which then is only checked to be signed. */
  readonly sessionToken?: string;
  readonly nowMs?: () => number;
}

/**
 * What is wrong with an IAM token, or undefined when nothing is.
 *
 * Written from AWS's description of Signature Version 4, in other terms than the signer's: it takes the token apart as
 * text and shares no code with what made it.
 */
export function rejectToken(user: string, token: string, expected: TokenExpectations): string | undefined {
  const match = /^([^/?]+)\/\?(.+)$/.exec(token);
  if (match === null) return "not a token";
  const [host, query] = [match[1] ?? "", match[2] ?? ""];
  if (host !== expected.cacheName) return "another cache";
  const pairs = query.split("&").map((pair) => pair.split("=", 2) as [string, string]);
  const fields = new Map(pairs.map(([name, value]) => [decodeURIComponent(name), decodeURIComponent(value)]));
  if (fields.size !== pairs.length) return "a repeated parameter";
  return rejectFields(user, fields, expected) ?? rejectSignature(host, pairs, fields, expected);
}

function rejectFields(
  user: string,
  fields: ReadonlyMap<string, string>,
  expected: TokenExpectations,
): string | undefined {
  const resource = expected.serverless ? "ServerlessCache" : undefined;
  if (fields.get("Action") !== "connect") return "another action";
  if (fields.get("User") !== user) return "another user";
  if (fields.get("ResourceType") !== resource) return "another resource type";
  if (fields.get("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256") return "another algorithm";
  if (fields.get("X-Amz-SignedHeaders") !== "host") return "other signed headers";
  if (fields.get("X-Amz-Expires") !== "900") return "another lifetime";
  const { sessionToken } = expected;
  if (sessionToken !== undefined && fields.get("X-Amz-Security-Token") !== sessionToken) return "another session";
  return rejectDate(fields.get("X-Amz-Date") ?? "", expected.nowMs?.() ?? Date.now());
}

function rejectDate(date: string, nowMs: number): string | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)?.slice(1).map(Number);
  if (parts === undefined) return "no date";
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const ageMs = nowMs - Date.UTC(year, month - 1, day, hour, minute, second);
  if (ageMs < -5 * 60_000) return "from the future";
  return ageMs > 900_000 ? "expired" : undefined;
}

function rejectSignature(
  host: string,
  pairs: readonly (readonly [string, string])[],
  fields: ReadonlyMap<string, string>,
  expected: TokenExpectations,
): string | undefined {
  const date = fields.get("X-Amz-Date") ?? "";
  const scope = `${date.slice(0, 8)}/${expected.region}/${expected.service}/aws4_request`;
  if (fields.get("X-Amz-Credential") !== `${expected.accessKeyId}/${scope}`) return "another key, region or service";
  const unsigned = pairs.filter(([name]) => name !== "X-Amz-Signature").map(([name, value]) => `${name}=${value}`);
  if (unsigned.toSorted().join() !== unsigned.join()) return "parameters out of order";
  const canonical = ["GET", "/", unsigned.join("&"), `host:${host}`, "", "host", sha256("")].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonical)].join("\n");
  const key = scope
    .split("/")
    .reduce<Buffer>((secret, part) => hmac(secret, part), Buffer.from(`AWS4${expected.secretAccessKey}`));
  const given = Buffer.from(fields.get("X-Amz-Signature") ?? "", "hex");
  const right = hmac(key, toSign);
  return given.length === right.length && timingSafeEqual(given, right) ? undefined : "a wrong signature";
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
