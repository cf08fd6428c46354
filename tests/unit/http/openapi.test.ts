import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { REFUSALS } from "../../../src/http/error-response.ts";
import { ROUTES } from "../../../src/http/routes.ts";

const document = parse(readFileSync(join(import.meta.dir, "../../../docs/openapi.yaml"), "utf8"));

describe("docs/openapi.yaml", () => {
  test("has exactly the routes that the service has, with their methods", () => {
    const documented = Object.entries<object>(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    const served = ROUTES.map(({ kind, pattern }) => `${kind === "health" ? "get" : "post"} ${pattern}`);
    expect(documented.sort()).toEqual(served.sort());
  });

  test("documents every status that a refusal can have, but for a client that has gone", () => {
    const statuses = new Set(Object.values(REFUSALS).map(({ status }) => String(status)));
    statuses.delete("499");
    for (const { kind, pattern } of ROUTES) {
      if (kind === "token")
        expect(Object.keys(document.paths[pattern].post.responses)).toEqual(expect.arrayContaining([...statuses]));
    }
  });
});
