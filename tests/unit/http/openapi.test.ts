import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { REFUSALS } from "../../../src/http/error-response.ts";
import { ROUTES, type Route } from "../../../src/http/routes.ts";

const DOCUMENT: any = parse(readFileSync(join(import.meta.dir, "../../../docs/openapi.yaml"), "utf8"), { merge: true });

const methodsOf = (route: Route) => (route.kind === "health" ? ["get", "head"] : ["post"]);
const operations = (path: string) =>
  Object.keys(DOCUMENT.paths[path] ?? {})
    .filter((name) => name !== "parameters")
    .sort();

function resolve(node: any): any {
  return node.$ref === undefined
    ? node
    : node.$ref
        .slice(2)
        .split("/")
        .reduce((at: any, key: string) => at[key], DOCUMENT);
}

describe("docs/openapi.yaml", () => {
  test("describes the routes of the service, and no others", () => {
    expect(DOCUMENT.openapi).toStartWith("3.1");
    expect(Object.keys(DOCUMENT.paths).sort()).toEqual(ROUTES.map(({ pattern }) => pattern).sort());
  });

  test.each(ROUTES.map((route) => [route.pattern, route] as const))(
    "%s has the methods that are answered",
    (path, route) => {
      expect(operations(path)).toEqual(methodsOf(route));
    },
  );

  test.each(ROUTES.flatMap((route) => (route.kind === "token" ? [[route.pattern, route] as const] : [])))(
    "%s has every status that a refusal can have, in the form of its route, and a token",
    (path, { format, profileKind }) => {
      const { responses, security } = DOCUMENT.paths[path].post;
      // 499 has no reader.
      const refusals = [...new Set(Object.values(REFUSALS).map(({ status }) => status))].filter(
        (status) => status !== 499,
      );
      const nothing = format === "json" && profileKind === "pipeline" ? [204] : [];
      expect(Object.keys(responses).map(Number)).toEqual([200, ...nothing, ...refusals, 431].sort((a, b) => a - b));
      for (const [status, response] of Object.entries(responses)) {
        // By the runtime, before any of our code runs.
        if (status === "431") continue;
        const { content, headers } = resolve(response);
        const type = format === "json" || status === "401" ? "application/json" : "text/plain";
        expect(Object.keys(content ?? {})).toEqual(status === "204" ? [] : [type]);
        expect(Object.keys(headers)).toContain("X-Request-ID");
        expect(Object.keys(headers).includes("Chinmina-Denied")).toBe(type === "text/plain" && Number(status) >= 400);
        expect(Object.keys(headers).includes("Retry-After")).toBe(status === "503");
      }
      expect(security ?? DOCUMENT.security).toEqual([{ buildkite: [] }]);
    },
  );

  test("a route with a profile has it as a parameter, and only organization tokens take a scope", () => {
    for (const { pattern } of ROUTES) {
      const names = (DOCUMENT.paths[pattern].parameters ?? []).map((one: any) => resolve(one).name);
      const scope = pattern === "/organization/token/{profile}" ? ["repository-scope"] : [];
      expect(names).toEqual(pattern.includes("{profile}") ? ["profile", ...scope] : []);
    }
  });

  test("every reference leads somewhere", () => {
    const references = JSON.stringify(DOCUMENT).matchAll(/"\$ref":"([^"]+)"/g);
    for (const [, reference] of references) expect(resolve({ $ref: reference })).toBeObject();
  });

  test("the public wording is that of the error table", () => {
    const { schemas, responses } = DOCUMENT.components;
    expect(schemas.Error.additionalProperties).toBe(false);
    const said = (name: string) => responses[name].content["application/json"].schema.properties.error;
    const messages = (status: number) =>
      Object.values(REFUSALS).flatMap((refusal) => (refusal.status === status ? [refusal.message] : []));
    expect(said("BadRequest").enum).toEqual(messages(400));
    expect(said("ProfileNotFound").enum).toEqual(messages(404));
    expect(said("Unauthorized").const).toBe(REFUSALS["invalid-token"].message);
  });
});
