/**
 * Why a server could not be used, in the words that a log shows:
 * - on the way: `credentials` (ours could not be had), `dns`, `refused`, `unreachable`, `timeout`, `tls`
 * - said by the server at the door: `wrongpass`, `noauth`, `loading`, `handshake`
 * - said to a command: `noperm`, `readonly`, `clusterdown`, `outofmemory`, `rejected` (anything else)
 * - later: `closed`, `silent` (answers nothing), `slow` (not in time), `protocol` (is no such server)
 */
export type FailureReason =
  | "credentials"
  | "dns"
  | "refused"
  | "unreachable"
  | "timeout"
  | "tls"
  | "wrongpass"
  | "noauth"
  | "loading"
  | "handshake"
  | "noperm"
  | "readonly"
  | "clusterdown"
  | "outofmemory"
  | "rejected"
  | "closed"
  | "silent"
  | "slow"
  | "protocol";

/** A failure with what is known about it: one line of at most 200 characters, without secrets. */
export interface Failure {
  readonly reason: FailureReason;
  readonly detail: string;
}

/** The connection or the attempt to get one failed; nothing is known about a command that was on it. */
export class ConnectionFault extends Error implements Failure {
  readonly reason: FailureReason;
  readonly detail: string;

  constructor({ reason, detail }: Failure) {
    super(`valkey: ${reason}: ${detail}`);
    this.name = "ConnectionFault";
    this.reason = reason;
    this.detail = detail;
  }
}

/** The server's refusal of one command. The connection goes on. */
export class Refusal implements Failure {
  readonly reason: FailureReason;
  readonly detail: string;
  /** The reply as it came. */
  readonly text: string;

  constructor(text: string) {
    this.reason = REFUSALS[firstWord(text.replace(OF_EXEC, ""))] ?? "rejected";
    this.detail = printable(text);
    this.text = text;
  }
}

/** What stands before the reason for which `EXEC` itself is refused. */
const OF_EXEC = /^EXECABORT Transaction discarded because of: /;

/** Error replies are told apart by their first word only: the rest differs between Redis, Valkey and their versions. */
const REFUSALS: Readonly<Record<string, FailureReason>> = {
  WRONGPASS: "wrongpass",
  NOAUTH: "noauth",
  NOPERM: "noperm",
  LOADING: "loading",
  READONLY: "readonly",
  CLUSTERDOWN: "clusterdown",
  MASTERDOWN: "clusterdown",
  OOM: "outofmemory",
};

const TLS_CODE =
  /^(ERR_TLS|ERR_SSL|UNABLE_TO_|CERT_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/;

/** What a rejection of Bun's Redis client means: the server's refusal of a command, or the connection's end. */
export function classifyRejection(error: unknown): Refusal | ConnectionFault {
  const { code, message } = readError(error);
  switch (code) {
    case "ERR_REDIS_SERVER_ERROR":
    case "ERR_REDIS_INVALID_COMMAND":
      return new Refusal(message);
    case "ERR_REDIS_AUTHENTICATION_FAILED": {
      const { reason, detail } = new Refusal(message);
      return new ConnectionFault({ reason: reason === "rejected" ? "handshake" : reason, detail });
    }
    case "ERR_REDIS_CONNECTION_CLOSED":
      return new ConnectionFault({ reason: "closed", detail: "the connection was closed" });
    case "ERR_REDIS_CONNECTION_TIMEOUT":
      return new ConnectionFault({ reason: "timeout", detail: "no answer while connecting" });
    case "ECONNRESET":
      return endedInHandshake(message);
    default:
      return new ConnectionFault(describeOther(code, message));
  }
}

/** For errors of DNS look-ups and of plain and TLS sockets. */
export function classifySocketError(error: unknown): ConnectionFault {
  const { code, message } = readError(error);
  const text = printable(`${code} ${message}`);
  if (code === "ECONNREFUSED") return new ConnectionFault({ reason: "refused", detail: "the connection was refused" });
  if (/^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL|DNS_|ETIMEOUT)/.test(code))
    return new ConnectionFault({ reason: "dns", detail: text });
  if (/^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|EADDRNOTAVAIL|EACCES|EPERM)/.test(code)) {
    return new ConnectionFault({ reason: "unreachable", detail: text });
  }
  if (code === "ETIMEDOUT")
    return new ConnectionFault({ reason: "timeout", detail: "no answer to a connection attempt" });
  if (TLS_CODE.test(code)) return new ConnectionFault({ reason: "tls", detail: text });
  return endedInHandshake(message);
}

/** Of a peer that ends the connection while shaking hands, the message alone tells. */
function endedInHandshake(message: string): ConnectionFault {
  return message.includes("before secure TLS connection")
    ? new ConnectionFault({ reason: "tls", detail: "the peer ended the connection during the TLS handshake" })
    : new ConnectionFault({ reason: "closed", detail: "the connection was closed" });
}

function describeOther(code: string, message: string): Failure {
  if (TLS_CODE.test(code)) return { reason: "tls", detail: printable(`${code} ${message}`) };
  // Other messages are not repeated: an invalid URL, say, would be quoted with the password in it.
  return { reason: "protocol", detail: printable(code === "" ? "an unexpected answer" : code) };
}

function readError(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof Error)) return { code: "", message: "" };
  return { code: "code" in error && typeof error.code === "string" ? error.code : "", message: error.message };
}

function firstWord(text: string): string {
  return text.split(" ", 1)[0] ?? "";
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, " ").slice(0, 200);
}
