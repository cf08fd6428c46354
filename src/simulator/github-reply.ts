import type { JsonObject } from "./json.ts";

/** What GitHub answers, before the headers that every reply of its has. */
export interface GitHubReply {
  readonly status: number;
  /** Absent: no body. Bytes go out as they are. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const DOCUMENTATION = "https://docs.github.com/rest";

export function refusal(status: number, message: string, more: JsonObject = {}): GitHubReply {
  return { status, body: { message, ...more, documentation_url: DOCUMENTATION, status: `${status}` } };
}

export const NOT_FOUND: GitHubReply = refusal(404, "Not Found");
export const BAD_CREDENTIALS: GitHubReply = refusal(401, "Bad credentials");
export const SUSPENDED: GitHubReply = refusal(403, "This installation has been suspended");
export const NOT_DECODED: GitHubReply = refusal(401, "A JSON web token could not be decoded");
