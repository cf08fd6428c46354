import { RESET_SECONDS, RETRY_SECONDS } from "../expectations.ts";
import type { Fault } from "../lists.ts";
import { BODY_CANARY } from "./canaries.ts";

export interface TrueAnswer {
  /** Status line and headers, with the empty line. */
  readonly head: string;
  readonly body: Buffer;
}

interface Bodies {
  readonly wrongType: string;
  /** One byte more is too many. */
  readonly longestBytes: number;
  readonly errorBody: (status: number, name: Fault) => string;
}

type Answer =
  | { readonly kind: "complete"; readonly text: string }
  /** The upstream itself answers, and what comes of it on the way is up to the fault. */
  | { readonly kind: "true"; readonly fault: Fault | undefined };

/** What is sent instead of the upstream's answer. */
export function answerOf(fault: Fault | undefined, { wrongType, longestBytes, errorBody }: Bodies): Answer {
  if (fault !== undefined && /^\d{3}/.test(fault)) {
    const status = Number(fault.slice(0, 3));
    return complete(status, errorBody(status, fault), headersOf(fault));
  }
  switch (fault) {
    case "garbage":
      return { kind: "complete", text: `\u0000\u0001 ${BODY_CANARY} is not HTTP\r\n\r\n` };
    case "throttling":
      return complete(400, errorBody(400, fault));
    case "redirect":
      return complete(302, BODY_CANARY, { location: `https://127.0.0.1:1/${BODY_CANARY}` });
    case "not json":
      return complete(200, `<html>${BODY_CANARY}</html>`);
    case "wrong type":
      return complete(200, wrongType);
    case "over-long":
      return complete(200, JSON.stringify({ token: BODY_CANARY, pad: "x".repeat(longestBytes) }));
    default:
      return { kind: "true", fault };
  }
}

function headersOf(fault: Fault): Record<string, string> {
  const retryAfter = RETRY_SECONDS[fault];
  if (retryAfter !== undefined) return { "retry-after": String(retryAfter) };
  if (fault !== "403 primary limit") return {};
  const nowMs = Math.floor(Date.now() / 1000) * 1000;
  return {
    date: new Date(nowMs).toUTCString(),
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": String(nowMs / 1000 + RESET_SECONDS),
  };
}

function complete(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  const lines = [
    `HTTP/1.1 ${status} Something`,
    "content-type: application/json",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return { kind: "complete", text: `${lines.join("\r\n")}\r\n\r\n${body}` };
}
