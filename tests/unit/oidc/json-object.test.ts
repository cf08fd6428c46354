import { describe, expect, test } from "bun:test";
import { parseJsonObject } from "../../../src/oidc/json-object.ts";

const parse = (text: string): unknown => parseJsonObject(new TextEncoder().encode(text));

describe("parseJsonObject()", () => {
  test.each([
    ["{}", {}],
    [' { "a" : { "b" : 1 , "c" : [ { "b" : ":" } ] } , "d" : "x:\\"{" } ', { a: { b: 1, c: [{ b: ":" }] }, d: 'x:"{' }],
    ['{"a\\\\":1,"a":2}', { "a\\": 1, a: 2 }],
    ['{"a":{"b":1,"b":2}}', { a: { b: 2 } }],
  ])("reads %s", (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  test.each([
    "",
    "null",
    "[]",
    '"a"',
    "1",
    "{",
    '{"a":1,}',
    "{'a':1}",
    '{"a":1}{}',
    '\uFEFF{"a":1}',
    '{"a":NaN}',
    '{"a":1,"a":1}',
    '{"a":1,"b":{"a":1},"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a\\"":1,"a\\u0022":2}',
  ])("rejects %j", (text) => {
    expect(parse(text)).toBeUndefined();
  });
});
