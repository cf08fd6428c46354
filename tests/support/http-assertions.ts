import { expect } from "bun:test";
import type { Answer } from "./world.ts";

const DESCRIPTION = "The access token is invalid";

/** The one refusal that every invalid token gets, whatever is wrong with it. */
export function expectInvalidToken({ status, headers, text, audit }: Answer): void {
  expect({ status, text, type: headers.get("content-type"), challenge: headers.get("www-authenticate") }).toEqual({
    status: 401,
    text: `{"error":"invalid_token","error_description":"${DESCRIPTION}"}`,
    type: "application/json",
    challenge: `Bearer realm="api", error="invalid_token", error_description="${DESCRIPTION}"`,
  });
  expect(audit["request"].status).toBe(401);
  expect(audit["authorization"]).toEqual({ authorized: false });
  expect(audit["pipeline"]).toBeUndefined();
  expect(audit["error"]).toBeString();
}

export function expectNoCredentials({ status, headers, text, audit }: Answer): void {
  expect({ status, text, type: headers.get("content-type"), challenge: headers.get("www-authenticate") }).toEqual({
    status: 401,
    text: `{"error":"invalid_token"}`,
    type: "application/json",
    challenge: `Bearer realm="api"`,
  });
  expect(audit["authorization"]).toEqual({ authorized: false });
}

/** A refusal in the form of its route: JSON on token routes, an empty text with `Chinmina-Denied` on git routes. */
export function expectRefusal(answer: Answer, format: "json" | "git", status: number, message: string): void {
  const { headers, text } = answer;
  expect(answer.status).toBe(status);
  if (format === "json") {
    expect({ text, type: headers.get("content-type"), denied: headers.get("chinmina-denied") }).toEqual({
      text: JSON.stringify({ error: message }),
      type: "application/json",
      denied: null,
    });
  } else {
    expect({ text, type: headers.get("content-type"), denied: headers.get("chinmina-denied") }).toEqual({
      text: "",
      type: "text/plain",
      denied: message,
    });
  }
  expect(answer.audit["request"].status).toBe(status);
  expect(answer.audit["error"]).toBeString();
  expect(answer.audit["token"]?.hashedToken).toBeUndefined();
}

/** "We have nothing for this", so that git goes on to its next helper. */
export function expectNothing({ status, headers, text, audit }: Answer): void {
  expect({
    status,
    text,
    type: headers.get("content-type"),
    length: headers.get("content-length"),
    denied: headers.get("chinmina-denied"),
  }).toEqual({ status: 200, text: "", type: "text/plain", length: "0", denied: null });
  expect(audit["request"].status).toBe(200);
  expect(audit["error"]).toBe("skipped(success): no credentials for requested context");
  expect(audit["token"]?.hashedToken).toBeUndefined();
}
