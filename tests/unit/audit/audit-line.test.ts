import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { renderRequestLine } from "../../../src/audit/audit-line.ts";
import { AuditPart, OpenAuditPart } from "../../../src/audit/audit-part.ts";
import type { AuditEntry } from "../../../src/audit/entry.ts";

const entry = (request: Partial<AuditEntry["request"]> = {}, rest: Partial<AuditEntry> = {}): AuditEntry => ({
  request: {
    method: "POST",
    path: "/token",
    status: 200,
    sourceIP: "10.0.0.1:1",
    userAgent: "curl",
    id: "id",
    durationMs: 1,
    ...request,
  },
  ...rest,
});
const TIME = "1970-01-01T00:00:00Z";
const callerWith = (audience: readonly string[]): NonNullable<AuditEntry["caller"]> => ({
  part: new OpenAuditPart({
    pipeline: {
      organizationSlug: "acme",
      pipelineSlug: "widget",
      jobID: "job",
      buildNumber: 1,
      buildBranch: "main",
    },
    authorization: { authorized: true, subject: "sub", issuer: "iss", audience, expiry: TIME },
  }),
  expiryRemaining: 299,
});
const parse = (line: string) => JSON.parse(`${line}}`);

describe("renderRequestLine()", () => {
  test("leaves its object open for the instance and the sequence number", () => {
    const line = renderRequestLine("2026-01-12T22:35:42Z", entry());
    expect(line.endsWith("}")).toBe(true);
    expect(parse(line)).toEqual({
      level: "audit",
      time: "2026-01-12T22:35:42Z",
      type: "audit",
      message: "audit_event",
      ...entry(),
      authorization: { authorized: false },
    });
  });

  test("has the parts of a token in one object, and the caller's remaining time with its authorization", () => {
    const token = {
      asked: { requestedRepository: "https://github.com/acme/widget" },
      resolved: new AuditPart({ requestedProfile: "profile://x", applicationID: 111 }),
      judged: new AuditPart({ matches: [] }),
      vended: new AuditPart({ repositories: ["widget"] }),
      now: { expiryRemaining: 3599, source: "memory" },
    } as const;
    const line = parse(renderRequestLine(TIME, entry({}, { caller: callerWith(["a"]), token, traceId: "0af7" })));
    expect(line).toMatchObject({
      traceId: "0af7",
      pipeline: { organizationSlug: "acme", buildNumber: 1 },
      authorization: { authorized: true, audience: ["a"], expiryRemaining: 299 },
    });
    expect(line.token).toEqual({
      requestedRepository: "https://github.com/acme/widget",
      requestedProfile: "profile://x",
      applicationID: 111,
      matches: [],
      repositories: ["widget"],
      expiryRemaining: 3599,
      source: "memory",
    });
  });

  test("has the same members when it must be cut narrower to fit", () => {
    const audience = Array.from({ length: 90 }, (_none, index) => `${index} ${"x".repeat(400)}`);
    const token = {
      resolved: new AuditPart({ app: "default" }),
      now: { expiryRemaining: 1, source: "memory" },
    } as const;
    const line = renderRequestLine(TIME, entry({}, { caller: callerWith(audience), token, error: "none" }));
    expect(Buffer.byteLength(line)).toBeLessThan(12 * 1024);
    expect(parse(line)).toMatchObject({
      pipeline: { pipelineSlug: "widget" },
      authorization: { authorized: true, expiryRemaining: 299 },
      token: { app: "default", source: "memory" },
      error: "none",
    });
  });

  test("cuts a caller's string to 512 bytes with an ellipsis, at a character boundary", () => {
    const { request } = parse(renderRequestLine(TIME, entry({ userAgent: "é".repeat(600) })));
    expect(Buffer.byteLength(request.userAgent)).toBeLessThanOrEqual(512);
    expect(request.userAgent.endsWith("é…")).toBe(true);
  });

  test("cuts a list to 100 items and counts the rest", () => {
    const repositories = Array.from({ length: 130 }, (_, index) => `r${index}`);
    const { token } = parse(renderRequestLine(TIME, entry({}, { token: { judged: new AuditPart({ repositories }) } })));
    expect(token.repositories).toHaveLength(101);
    expect(token.repositories[100]).toBe("… and 30 more");
  });

  test("writes no character raw that a terminal or a log viewer may act upon", () => {
    const hostile = "\u0000\n\u001b[2J\u007f\u0085\u009b\u2028\u2029\ud800";
    const line = renderRequestLine(TIME, entry({ userAgent: hostile }));
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/);
    expect(parse(line).request.userAgent).toBe(hostile.toWellFormed());
  });

  test("is one line of valid JSON under 12 KiB, whatever callers send", () => {
    const text = fc.string({ unit: "binary", maxLength: 3000 });
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 150 }), (path, userAgent, audience) => {
        const line = renderRequestLine(TIME, entry({ path, userAgent }, { caller: callerWith(audience) }));
        expect(Buffer.byteLength(line)).toBeLessThan(12 * 1024);
        expect(line).not.toContain("\n");
        parse(line);
      }),
      { numRuns: 200 },
    );
  });
});
