import { describe, expect, test } from "bun:test";
import { parseAppRegistry } from "../../../src/config/app-registry.ts";

const ARN = "arn:aws:kms:eu-west-1:123456789012:alias/chinmina-packages";
const ENTRY = { name: "packages", appId: 333, installationId: 444, privateKeyArn: ARN };
const CANARY = "-----BEGIN CANARY-----";

describe("parseAppRegistry()", () => {
  test.each(["", " \n\t", "[]", " [ ] "])("reads %j as no registry", (json) => {
    expect(parse(json)).toEqual({ apps: [], problems: [] });
  });

  test("reads an App in KMS and an App with a key of its own", () => {
    const { apps, problems } = parse(
      JSON.stringify([ENTRY, { name: "a.b_c-1", appId: 1, installationId: 2, privateKey: "x\\ny\r\nz" }]),
    );
    expect(problems).toEqual([]);
    expect(apps[0]).toEqual({
      name: "packages",
      appId: 333,
      installationId: 444,
      key: { kind: "privateKeyArn", arn: ARN },
    });
    expect(apps[1]?.key.kind === "privateKey" ? apps[1].key.pem.reveal() : "").toBe("x\ny\nz");
  });

  test.each(["a", "0", "a1", "a-b", "a..b", "a".repeat(64)])("takes the name %j", (name) => {
    expect(parse(JSON.stringify([{ ...ENTRY, name }])).problems).toEqual([]);
  });

  test.each(["", "-a", "a-", ".a", "a.", "_", "A", "a b", "é", "a\n", "a/b", "a".repeat(65)])(
    "refuses the name %j and names its entry by index",
    (name) => {
      const { problems } = parse(JSON.stringify([ENTRY, { ...ENTRY, name }]));
      expect(problems).toEqual([
        "entry at index 1: name is not 1 to 64 of a-z, 0-9, '.', '_' and '-' with a letter or digit at both ends",
      ]);
    },
  );

  const refused: readonly [what: string, json: string, problem: string][] = [
    ["null", "null", "is JSON, but not an array"],
    ["an object", "{}", "is JSON, but not an array"],
    ["a string", '"[]"', "is JSON, but not an array"],
    ["two documents", "[][]", "is not one JSON document"],
    ["a word behind the array", "[] x", "is not one JSON document"],
    ["a trailing comma", "[1,]", "is not one JSON document"],
    ["a comment", "[] // none", "is not one JSON document"],
    ["a broken document", `[{"privateKey":"${CANARY}`, "is not one JSON document"],
    ["a null entry", "[null]", "entry at index 0: is not an object"],
    ["an array as an entry", "[[]]", "entry at index 0: is not an object"],
    ["a missing name", entry({ name: undefined }), "entry at index 0: name is missing"],
    [
      "the name default",
      entry({ name: "default" }),
      'entry at index 0: name is "default", which GITHUB_APP_ID describes',
    ],
    ["a repeated name", JSON.stringify([ENTRY, ENTRY]), "entry at index 1: name is that of an earlier entry"],
    ["an id as text", entry({ appId: "333" }), 'entry "packages": appId is not a positive integer'],
    ["a zero id", entry({ appId: 0 }), 'entry "packages": appId is not a positive integer'],
    ["a fractional id", entry({ appId: 1.5 }), 'entry "packages": appId is not a positive integer'],
    ["an id too large to be exact", entry({ appId: 2 ** 53 }), 'entry "packages": appId is not a positive integer'],
    [
      "no installation",
      entry({ installationId: undefined }),
      'entry "packages": installationId is not a positive integer',
    ],
    ["a null id", entry({ installationId: null }), 'entry "packages": installationId is not a positive integer'],
    [
      "both keys",
      entry({ privateKey: CANARY }),
      'entry "packages": exactly one of privateKeyArn and privateKey must be there',
    ],
    [
      "no key",
      entry({ privateKeyArn: undefined }),
      'entry "packages": exactly one of privateKeyArn and privateKey must be there',
    ],
    [
      "something else as an ARN",
      entry({ privateKeyArn: CANARY }),
      'entry "packages": privateKeyArn is not the ARN of a KMS key or alias',
    ],
    [
      "a null key",
      entry({ privateKeyArn: undefined, privateKey: null }),
      'entry "packages": privateKey is not a string',
    ],
    [
      "a PEM that does not parse",
      entry({ privateKeyArn: undefined, privateKey: `bad ${CANARY}` }),
      'entry "packages": privateKey does not parse',
    ],
    ["an unknown key", entry({ team: 1 }), 'entry "packages": the key team is unknown'],
    ["a key that looks like a secret", entry({ [CANARY]: 1 }), 'entry "packages": a key is unknown'],
    [
      "a repeated key",
      `[{"name":"a","appId":1,"appId":2,"installationId":3,"privateKeyArn":"${ARN}"}]`,
      "entry at index 0: the key appId is repeated",
    ],
    [
      "a repeated key, once with an escape",
      `[${JSON.stringify(ENTRY)},{"name":"a","n\\u0061me":"b","appId":1,"installationId":3,"privateKeyArn":"${ARN}"}]`,
      "entry at index 1: the key name is repeated",
    ],
  ];

  test.each(refused)("refuses %s", (_, json, problem) => {
    const { problems } = parse(json);
    expect(problems).toEqual([problem]);
    expect(problems.join()).not.toContain(CANARY);
    expect(problems.join()).not.toContain("arn:");
  });

  test("takes keys of another case for unknown, and suggests the right one", () => {
    const { problems } = parse(JSON.stringify([{ Name: "a", appid: 1, installationId: 2, privateKeyArn: ARN }]));
    expect(problems).toEqual([
      "entry at index 0: name is missing",
      "entry at index 0: the key Name is unknown; did you mean name?",
      "entry at index 0: the key appid is unknown; did you mean appId?",
      "entry at index 0: appId is not a positive integer",
    ]);
  });

  test("reads __proto__ as the unknown key that it is", () => {
    const json = `[{"__proto__":{"name":"a"},"appId":1,"installationId":2,"privateKeyArn":"${ARN}"}]`;
    expect(parse(json).problems).toContain("entry at index 0: name is missing");
  });
});

function parse(json: string) {
  return parseAppRegistry(json, (pem) => (pem.startsWith("bad") ? "does not parse" : undefined));
}

function entry(change: Record<string, unknown>): string {
  return JSON.stringify([{ ...ENTRY, ...change }]);
}
