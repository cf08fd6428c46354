import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { isRepositoryName } from "../../src/github/repository-name.ts";
import { parsePipelineRepository, parseRepositoryPath } from "../../src/github/repository-url.ts";
import { parseGitCredential, renderGitCredential } from "../../src/http/git-credential.ts";
import { splitRequestTarget } from "../../src/http/request-target.ts";
import { matchRoute } from "../../src/http/routes.ts";
import { parseReference } from "../../src/profiles/reference.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const value = fc.string({ unit: "grapheme" }).filter((text) => !/[\n\r\0]/.test(text));
const GITHUB = new URL("https://github.com");

describe("git's credential format", () => {
  test("what is written is read back as it was", () => {
    fc.assert(
      fc.property(value, value, value, (protocol, host, path) => {
        const text = renderGitCredential([
          ["protocol", protocol],
          ["host", host],
          ["path", path],
        ]);
        expect(parseGitCredential(encode(text))).toEqual({ protocol, host, path });
        expect(text.endsWith("\n\n")).toBe(true);
      }),
    );
  });

  test("any bytes are read or refused, and never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void parseGitCredential(bytes)),
      { numRuns: 2000 },
    );
  });

  test.each(["a\nb", "a\0b", "a\rb"])("a value that cannot be written is an error, never half a reply (%p)", (text) => {
    expect(() => renderGitCredential([["path", text]])).toThrow(TypeError);
  });

  test("no value can add a line: the reply has as many lines as pairs", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values) => {
        const text = renderGitCredential(values.map((one, index) => [`key${index}`, one] as const));
        expect(text.split("\n")).toHaveLength(values.length + 2);
      }),
    );
  });
});

describe("repositories", () => {
  const junk = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.constantFrom("..", ".", ".git", "%2e", "a b", "acme", "widget.git"),
  );

  test("whatever a pipeline's URL says, what is vended for has exactly an owner and a name that GitHub could have", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("https://github.com/", "git@github.com:", "ssh://git@github.com/", ""),
        junk,
        junk,
        (prefix, owner, name) => {
          const repository = parsePipelineRepository(`${prefix}${owner}/${name}`, GITHUB);
          if (repository === undefined) return;
          expect(isRepositoryName(repository.name)).toBe(true);
          expect(repository.httpsUrl).toMatch(/^https:\/\/github\.com\/[A-Za-z0-9_-]+\/[A-Za-z0-9._-]+$/);
          expect(new URL(repository.httpsUrl).host).toBe("github.com");
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("a git path names the repository of its first two segments, or none", () => {
    fc.assert(
      fc.property(fc.string(), (path) => {
        const repository = parseRepositoryPath(path);
        if (repository !== undefined)
          expect(path.replace(/^\//, "").startsWith(`${repository.owner}/${repository.name}`)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("request targets", () => {
  test("the path is what stands in the request, whatever the Host says", () => {
    const path = fc
      .array(fc.constantFrom("token", "a", "%2F", "..", "b c", ""), { maxLength: 5 })
      .map((parts) => `/${parts.join("/")}`);
    const host = fc.constantFrom("bridge", "a", "", "a/b@c", "[::1]:80", "u:p@h", "evil.example:99999");
    fc.assert(
      fc.property(host, path, fc.constantFrom("", "?x=1", "?a?b", "?/healthcheck"), (name, at, query) => {
        // Bun gives only the target when the Host is no host.
        const url = name === "" || name.includes("/") ? at + query : `http://${name}${at}${query}`;
        if (url.startsWith("//")) return;
        expect(splitRequestTarget(url)).toEqual({ path: at, query: query.slice(1) });
      }),
    );
  });

  test("a route is matched by whole segments: nothing that merely begins like one is one", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("/token", "/git-credentials", "/organization/token", "/healthcheck"),
        fc.string({ minLength: 1 }),
        (route, suffix) => {
          if (suffix.startsWith("/")) return;
          expect(matchRoute("POST", route + suffix, "").kind).toBe("not-found");
        },
      ),
    );
  });
});

test("a profile reference never throws, and never changes its type to please the route", () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom("pipeline" as const, "organization" as const), (text, route) => {
      const parsed = parseReference(text, route);
      if (parsed.kind === "reference") {
        expect(parsed.reference.kind).toBe(route);
        expect(text.endsWith(parsed.reference.name)).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
});
