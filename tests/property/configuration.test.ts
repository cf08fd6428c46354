import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { findDuplicateKey } from "../../src/config/duplicate-key.ts";
import { readConfiguration } from "../../src/config/read-configuration.ts";
import { parseAppRegistry } from "../../src/config/app-registry.ts";
import { KNOWN_NAMES, VARIABLES } from "../../src/config/variables.ts";
import { editDistance, nearestName } from "../../src/lib/nearest-name.ts";
import { MINIMAL_ENVIRONMENT } from "../support/environment.ts";

const readFile = (path: string): string => path;

describe("readConfiguration()", () => {
  test("answers whatever the environment holds, and an invalid one has a problem of a known variable", () => {
    const value = fc.oneof(fc.string(), fc.constantFrom("true", "1", "valkey", "https://a.example", "a:1", "[]", "{}"));
    const environment = fc.dictionary(fc.constantFrom(...KNOWN_NAMES), value, { maxKeys: 30 });
    fc.assert(
      fc.property(environment, (beside) => {
        const result = readConfiguration({ ...MINIMAL_ENVIRONMENT, ...beside }, { readFile });
        if (result.kind === "valid") return;
        expect(result.problems.length).toBeGreaterThan(0);
        for (const { variable } of result.problems) expect(KNOWN_NAMES).toContain(variable);
      }),
    );
  });

  test("takes no number but plain digits in range", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.double().map(String), fc.integer().map(String)), (port) => {
        fc.pre(port !== "");
        const result = readConfiguration({ ...MINIMAL_ENVIRONMENT, SERVER_PORT: port });
        const expected = /^[0-9]{1,16}$/.test(port) && Number(port) <= 65_535;
        expect(result.kind).toBe(expected ? "valid" : "invalid");
      }),
    );
  });

  test("gives a base path that is empty, or begins with a slash and has no empty or trailing segment", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z./-]{0,12}$/), (path) => {
        const result = readConfiguration({ ...MINIMAL_ENVIRONMENT, SERVER_BASE_PATH: path });
        if (result.kind === "valid") expect(result.configuration.server.basePath).toMatch(/^(\/[^/]+)*$/);
      }),
    );
  });
});

describe("findDuplicateKey()", () => {
  test("finds nothing in what JSON.stringify wrote", () => {
    fc.assert(fc.property(fc.json(), (json) => expect(findDuplicateKey(json)).toBeUndefined()));
  });

  test("finds a repeated key wherever its object stands", () => {
    const surroundings = fc.tuple(fc.array(fc.jsonValue(), { maxLength: 4 }), fc.string(), fc.string());
    fc.assert(
      fc.property(surroundings, fc.jsonValue(), ([before, outer, key], value) => {
        const name = JSON.stringify(key);
        const object = `{${name}:${JSON.stringify(value)},${name}:1}`;
        const json = `[${[...before.map((item) => JSON.stringify(item)), `{${JSON.stringify(outer)}:${object}}`].join()}]`;
        expect(findDuplicateKey(json)).toEqual({ path: [before.length, outer], key });
      }),
    );
  });
});

test("parseAppRegistry() answers for any text, and never with an App when there are problems in every entry", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (json) => {
      const { apps, problems } = parseAppRegistry(json, () => undefined);
      if (json.trim() !== "" && problems.length === 0) expect(JSON.parse(json)).toHaveLength(apps.length);
    }),
  );
});

describe("editDistance()", () => {
  const word = fc.stringMatching(/^[ab_]{0,8}$/);

  test("is symmetric, and zero for equals alone", () => {
    fc.assert(
      fc.property(word, word, (left, right) => {
        expect(editDistance(left, right)).toBe(editDistance(right, left));
        expect(editDistance(left, right) === 0).toBe(left === right);
      }),
    );
  });

  test("is one for any single slip", () => {
    fc.assert(
      fc.property(word, fc.nat(), (text, at) => {
        const index = at % (text.length + 1);
        expect(editDistance(text, `${text.slice(0, index)}x${text.slice(index)}`)).toBe(1);
        if (index < text.length) expect(editDistance(text, `${text.slice(0, index)}x${text.slice(index + 1)}`)).toBe(1);
      }),
    );
  });
});

test("nearestName() finds a variable again after two letters changed places", () => {
  const names = VARIABLES.map(({ name }) => name);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.nat(), (name, at) => {
      const index = at % (name.length - 1);
      const swapped = name.slice(0, index) + name.charAt(index + 1) + name.charAt(index) + name.slice(index + 2);
      expect(nearestName(swapped, names)).toBe(name);
    }),
  );
});
