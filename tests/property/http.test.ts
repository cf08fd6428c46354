import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { parsePipelineRepository, parseRepositoryPath } from "../../src/github/repository-url.ts";
import { parseGitCredential, renderGitCredential } from "../../src/http/git-credential.ts";
import { readGitRequest } from "../../src/http/git-request.ts";
import { isSingleHost, percentDecode, splitRequestTarget } from "../../src/http/request-target.ts";
import { matchRoute, ROUTES } from "../../src/http/routes.ts";
import { parseReference } from "../../src/profiles/reference.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const GITHUB = new URL("https://github.com");
/** Text that is likely to mean something to a parser of lines. */
const tricky = fc.string({
  unit: fc.constantFrom(
    "a",
    "=",
    "\n",
    "\r",
    "\0",
    "/",
    ":",
    ".",
    "%",
    " ",
    "protocol",
    "https",
    "host",
    "github.com",
    "path",
    "é",
  ),
  maxLength: 60,
});
const line = fc.string({ unit: "grapheme" }).filter((text) => !/[\n\r\0]/.test(text));
const segment = fc.stringMatching(/^[A-Za-z0-9._-]{1,30}$/);
const owner = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,20}$/);
const name = segment.filter((text) => text !== "." && text !== ".." && !/\.git$/i.test(text));

describe("git's credential format", () => {
  test("never throws, whatever bytes come", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseGitCredential(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test("what is written is read back, in whatever order, with LF or CRLF, and without the final line end", () => {
    fc.assert(
      fc.property(
        line,
        line,
        line,
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        (protocol, host, path, end, isClosed) => {
          const values = { protocol, host, path };
          const text = renderGitCredential(Object.entries(values).reverse()).replaceAll("\n", end);
          expect(parseGitCredential(utf8(isClosed ? text : text.slice(0, -2 * end.length)))).toEqual(values);
        },
      ),
    );
  });

  test("nothing behind the first empty line counts, nothing without a key counts, of repeated keys the last does", () => {
    fc.assert(
      fc.property(fc.array(tricky), tricky, (noise, behind) => {
        const lines = noise
          .flatMap((text) => text.split("\n"))
          .filter((text) => text !== "" && text !== "\r" && !/^(protocol|host|path)=/.test(text));
        const text = [...lines, "host=first", ...lines, "host=last"].join("\n");
        expect(parseGitCredential(utf8(`${text}\n\n${behind}`))?.host).toBe("last");
      }),
    );
  });

  test("what could forge a line of the reply is never written", () => {
    fc.assert(
      fc.property(tricky, (value) => {
        const write = () => renderGitCredential([["path", value]]);
        if (/[\n\r\0]/.test(value)) expect(write).toThrow(TypeError);
        else expect(write()).toBe(`path=${value}\n\n`);
      }),
    );
  });

  test("whatever git sends, a token is only for https at our own host, to the letter", () => {
    fc.assert(
      fc.property(
        fc.option(tricky, { nil: undefined }),
        fc.option(tricky, { nil: undefined }),
        fc.option(tricky, { nil: undefined }),
        (protocol, host, path) => {
          const { kind } = readGitRequest({ protocol, host, path }, "github.com");
          expect(kind === "ask").toBe(protocol === "https" && host === "github.com");
        },
      ),
    );
    expect(readGitRequest({ protocol: "https", host: "github.com", path: "" }, "github.com").kind).toBe("ask");
  });
});

describe("a repository's URL", () => {
  const spellings = (path: string) => [
    `git@github.com:${path}`,
    `ssh://git@github.com/${path}`,
    `ssh://git@github.com:22/${path}`,
    `https://github.com/${path}`,
  ];

  test("every spelling of a repository is that repository, with .git and without", () => {
    fc.assert(
      fc.property(owner, name, fc.constantFrom("", ".git"), (one, two, suffix) => {
        for (const url of spellings(`${one}/${two}${suffix}`)) {
          expect(parsePipelineRepository(url, GITHUB)).toEqual({
            owner: one,
            name: two,
            httpsUrl: `https://github.com/${one}/${two}${suffix}`,
          });
        }
      }),
    );
  });

  test("what is accepted is written back as two segments under our host, and reads the same again", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          tricky,
          fc.constantFrom(...spellings("")).chain((start) => tricky.map((rest) => start + rest)),
        ),
        (text) => {
          const repository = parsePipelineRepository(text, GITHUB);
          if (repository === undefined) return;
          expect(repository.httpsUrl).toMatch(/^https:\/\/github\.com\/[A-Za-z0-9][A-Za-z0-9_-]*\/[A-Za-z0-9._-]+$/);
          expect(parsePipelineRepository(repository.httpsUrl, GITHUB)).toEqual(repository);
          expect(new URL(repository.httpsUrl).pathname.split("/")).toHaveLength(3);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test("of a path the first two segments count, whatever follows", () => {
    fc.assert(
      fc.property(owner, name, fc.constantFrom("", ".git"), fc.array(fc.string()), (one, two, suffix, more) => {
        const path = [`${one}/${two}${suffix}`, ...more].join("/");
        expect(parseRepositoryPath(path)).toEqual({ owner: one, name: two });
        expect(parseRepositoryPath(`/${path}`)).toEqual({ owner: one, name: two });
      }),
    );
  });

  test("no path names a repository that GitHub cannot have", () => {
    fc.assert(
      fc.property(fc.oneof(tricky, fc.string()), (path) => {
        const repository = parseRepositoryPath(path);
        if (repository === undefined) return;
        expect(repository.name).toMatch(/^[A-Za-z0-9._-]{1,100}$/);
        expect([".", ".."]).not.toContain(repository.name);
        expect(repository.owner).toMatch(/^[A-Za-z0-9][A-Za-z0-9_-]*$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a request's target", () => {
  test("path and query are found whatever the Host made of the URL before them", () => {
    const path = fc.array(segment, { minLength: 1 }).map((parts) => `/${parts.join("/")}`);
    const before = fc.constantFrom("", "http://bridge", "http://a:443", "http://[::1]:80", "http://u:p@a", "http://x");
    fc.assert(
      fc.property(
        before,
        path,
        fc.option(fc.stringMatching(/^[A-Za-z0-9=&?/%.-]{0,20}$/), { nil: undefined }),
        (start, one, query) => {
          const url = `${start}${one}${query === undefined ? "" : `?${query}`}`;
          expect(splitRequestTarget(url)).toEqual({ path: one, query: query ?? "" });
        },
      ),
    );
  });

  test("only a path of the contract has a route, and only one method is let in", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("/", "token", "git-credentials", "organization", "healthcheck", "x", "%2F", ".."), {
          maxLength: 8,
        }),
        fc.constantFrom("GET", "POST", "HEAD", "PUT"),
        (parts, method) => {
          const path = parts.join("");
          const match = matchRoute(method, path, "");
          const isKnown = ROUTES.some(({ pattern }) =>
            new RegExp(`^${pattern.replace("{profile}", "[^/]+")}$`).test(path),
          );
          expect(match.kind !== "not-found").toBe(isKnown);
          if (match.kind === "token") expect(method).toBe("POST");
          if (match.kind === "health") expect(["GET", "HEAD"]).toContain(method);
        },
      ),
      { numRuns: 3000 },
    );
  });

  test("a base path is stripped at a segment boundary and nowhere else", () => {
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.string(), (parts, rest) => {
        const base = `/${parts.join("/")}`;
        expect(matchRoute("POST", `${base}/token`, base).kind).toBe("token");
        if (!rest.startsWith("/")) expect(matchRoute("POST", `${base}${rest}`, base).kind).toBe("not-found");
      }),
    );
  });

  test("a Host that is accepted is one authority, which a URL gives back", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.domain(),
          fc.ipV4(),
          fc.ipV6().map((ip) => `[${ip}]`),
        ),
        fc.option(fc.nat(65_535), { nil: undefined }),
        (host, port) => {
          expect(isSingleHost(port === undefined ? host : `${host}:${port}`)).toBe(true);
        },
      ),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (isSingleHost(text)) expect(text).not.toMatch(/[\s,/@?#\\%]/);
      }),
    );
  });
});

describe("a profile reference", () => {
  test("is decoded once: what was encoded once comes back, and nothing throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string(), (text, raw) => {
        expect(percentDecode(encodeURIComponent(text))).toBe(text);
        expect(() => percentDecode(raw)).not.toThrow();
      }),
    );
  });

  test("of another type than the route's is never a reference, and a name is never changed", () => {
    fc.assert(
      fc.property(tricky, fc.constantFrom("pipeline" as const, "organization" as const), (text, route) => {
        const parsed = parseReference(text, route);
        if (parsed.kind !== "reference") return;
        expect(parsed.reference.kind).toBe(route);
        const type = route === "pipeline" ? "repo:" : "org:";
        expect([parsed.reference.name, `${type}${parsed.reference.name}`]).toContain(text);
        expect(parsed.reference.name).not.toBe("");
      }),
      { numRuns: 2000 },
    );
  });
});
