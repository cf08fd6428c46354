import { describe, expect, test } from "bun:test";
import { classifyRejection, classifySocketError, ConnectionFault, Refusal } from "../../../src/valkey/failure.ts";

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

describe("classifyRejection()", () => {
  test.each([
    ["NOPERM this user has no permissions to run the 'get' command", "noperm"],
    ["NOPERM No permissions to access a key", "noperm"],
    [
      "EXECABORT Transaction discarded because of: NOPERM User app has no permissions to run the 'exec' command",
      "noperm",
    ],
    ["EXECABORT Transaction discarded because of previous errors.", "rejected"],
    ["READONLY You can't write against a read only replica.", "readonly"],
    ["CLUSTERDOWN The cluster is down", "clusterdown"],
    ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", "clusterdown"],
    ["LOADING Redis is loading the dataset in memory", "loading"],
    ["OOM command not allowed when used memory > 'maxmemory'.", "outofmemory"],
    ["WRONGTYPE Operation against a key holding the wrong kind of value", "rejected"],
    ["ERR unknown command 'FOO'", "rejected"],
    ["", "rejected"],
  ] as const)("an error reply is the refusal of a command: %s", (text, reason) => {
    const outcome = classifyRejection(coded("ERR_REDIS_SERVER_ERROR", text));
    expect(outcome).toBeInstanceOf(Refusal);
    expect(outcome).toMatchObject({ reason, text });
  });

  test.each([
    ["ERR_REDIS_AUTHENTICATION_FAILED", "WRONGPASS invalid username-password pair or user is disabled.", "wrongpass"],
    ["ERR_REDIS_AUTHENTICATION_FAILED", "NOAUTH HELLO must be called with the client already authenticated", "noauth"],
    ["ERR_REDIS_AUTHENTICATION_FAILED", "LOADING Redis is loading the dataset in memory", "loading"],
    ["ERR_REDIS_AUTHENTICATION_FAILED", "ERR unknown command 'HELLO'", "handshake"],
    ["ERR_REDIS_CONNECTION_CLOSED", "Connection closed", "closed"],
    ["ERR_REDIS_CONNECTION_TIMEOUT", "Connection timeout reached after 2000ms", "timeout"],
    ["ERR_REDIS_INVALID_RESPONSE_TYPE", "Failed to read data (stack path)", "protocol"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unable to verify the first certificate", "tls"],
    ["CERT_HAS_EXPIRED", "certificate has expired", "tls"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "Hostname/IP does not match", "tls"],
    ["", "boom", "protocol"],
  ] as const)("%s %s ends the connection", (code, message, reason) => {
    const outcome = classifyRejection(coded(code, message));
    expect(outcome).toBeInstanceOf(ConnectionFault);
    expect(outcome.reason).toBe(reason);
  });

  test("the text of an error that is not known is not repeated, for it may quote the URL with the password", () => {
    const outcome = classifyRejection(coded("ERR_INVALID_URL", "Invalid URL rediss://u:secret@h"));
    expect(outcome.detail).toBe("ERR_INVALID_URL");
  });

  test("a detail is one line of at most 200 printable characters", () => {
    const outcome = classifyRejection(coded("ERR_REDIS_SERVER_ERROR", `ERR a\r\nb\u001b[31m${"x".repeat(500)}`));
    expect(outcome.detail).toMatch(/^[\x20-\x7e]{1,200}$/);
  });

  test("what is no error at all is a fault as well", () => {
    expect(classifyRejection(undefined)).toMatchObject({ reason: "protocol" });
  });
});

test.each([
  ["ENOTFOUND", "dns"],
  ["EAI_AGAIN", "dns"],
  ["DNS_ENOTFOUND", "dns"],
  ["ECONNREFUSED", "refused"],
  ["EHOSTUNREACH", "unreachable"],
  ["ENETUNREACH", "unreachable"],
  ["ETIMEDOUT", "timeout"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "tls"],
  ["ECONNRESET", "closed"],
] as const)("classifySocketError() makes %s %s", (code, reason) => {
  expect(classifySocketError(coded(code, "text"))).toMatchObject({ reason });
});
