import { describe, expect, test } from "bun:test";
import { createDevelopmentLogger } from "../../../src/telemetry/development-logger.ts";
import { createJsonLogger } from "../../../src/telemetry/logger.ts";

const now = () => Date.UTC(2026, 0, 12, 22, 35, 42, 900);

describe("the operational log", () => {
  test("is a line of JSON: level, time, message, then the fields", () => {
    const lines: string[] = [];
    createJsonLogger("info", now, (line) => lines.push(line)).warn("m", { a: 1, b: undefined });
    expect(lines).toEqual([`{"level":"warn","time":"2026-01-12T22:35:42Z","message":"m","a":1}`]);
  });

  test("leaves out what is below its level", () => {
    const lines: string[] = [];
    const logger = createJsonLogger("warn", now, (line) => lines.push(line));
    logger.debug("d");
    logger.info("i");
    logger.warn("w");
    logger.error("e");
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(["warn", "error"]);
  });

  test("for people: time, level, message, fields, every level", () => {
    const lines: string[] = [];
    const logger = createDevelopmentLogger(now, (line) => lines.push(line));
    logger.debug("started", { port: 8080, path: "/a/b", reason: "two words", nothing: undefined });
    expect(lines).toEqual([`22:35:42 DEBUG started  port=8080  path=/a/b  reason="two words"`]);
  });

  test("for people: hostile text stays on its line and moves no cursor", () => {
    const lines: string[] = [];
    createDevelopmentLogger(now, (line) => lines.push(line)).error("a\nb\u001b[2J", { c: "d\u2028e\ud800" });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028]/);
    expect(lines[0]).toContain("a\\u000ab\\u001b[2J");
  });
});
