import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { renderAuditLine } from "../../../src/audit/audit-line.ts";
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
  authorization: { authorized: false },
  ...rest,
});
const parse = (line: string) => JSON.parse(`${line}}`);

describe("renderAuditLine()", () => {
  test("leaves its object open for the instance and the sequence number", () => {
    const line = renderAuditLine("audit_event", 1_768_257_342_900, entry());
    expect(line.endsWith("}")).toBe(true);
    expect(parse(line)).toEqual({
      level: "audit",
      time: "2026-01-12T22:35:42Z",
      type: "audit",
      message: "audit_event",
      ...entry(),
    });
  });

  test("cuts a caller's string to 512 bytes with an ellipsis, at a character boundary", () => {
    const { request } = parse(renderAuditLine("audit_event", 0, entry({ userAgent: "é".repeat(600) })));
    expect(Buffer.byteLength(request.userAgent)).toBeLessThanOrEqual(512);
    expect(request.userAgent.endsWith("é…")).toBe(true);
  });

  test("cuts a list to 100 items and counts the rest", () => {
    const repositories = Array.from({ length: 130 }, (_, index) => `r${index}`);
    const { token } = parse(renderAuditLine("audit_event", 0, entry({}, { token: { repositories } })));
    expect(token.repositories).toHaveLength(101);
    expect(token.repositories[100]).toBe("… and 30 more");
  });

  test("writes no character raw that a terminal or a log viewer may act upon", () => {
    const hostile = "\u0000\n\u001b[2J\u007f\u0085\u009b\u2028\u2029\ud800";
    const line = renderAuditLine("audit_event", 0, entry({ userAgent: hostile }));
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/);
    expect(parse(line).request.userAgent).toBe(hostile.toWellFormed());
  });

  test("is one line of valid JSON under 12 KiB, whatever callers send", () => {
    const text = fc.string({ unit: "binary", maxLength: 3000 });
    fc.assert(
      fc.property(text, text, fc.array(text, { maxLength: 150 }), (path, userAgent, audience) => {
        const line = renderAuditLine(
          "audit_event",
          0,
          entry({ path, userAgent }, { authorization: { authorized: true, audience } }),
        );
        expect(Buffer.byteLength(line)).toBeLessThan(12 * 1024);
        expect(line).not.toContain("\n");
        parse(line);
      }),
      { numRuns: 200 },
    );
  });
});
