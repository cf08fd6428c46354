import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { isSameName } from "../../src/github/repository-name.ts";
import { parsePipelineRepository, parseRepositoryPath } from "../../src/github/repository-url.ts";
import { isPipelineRepository } from "../../src/vending/coverage.ts";

const owner = fc.constantFrom("acme", "Acme", "acm", "globex", "ac-me");
const name = fc.constantFrom("widget", "Widget", "widgets", "widget.js", "w", "git", ".github", "a.git.b");
const suffix = fc.constantFrom("", ".git");
const web = fc.constantFrom("https://github.com", "https://ghe.example:8443").map((url) => new URL(url));
const spelling = fc.constantFrom(
  (host: string, path: string) => `https://${host}/${path}`,
  (host: string, path: string) => `git@${host.split(":")[0]}:${path}`,
  (host: string, path: string) => `ssh://git@${host.split(":")[0]}/${path}`,
);

test("a pipeline's token covers what git asks about exactly when owner and name are its own but for ASCII case, however Buildkite spelled it", () =>
  fc.assert(
    fc.property(
      web,
      fc.record({ spelling, owner, name, suffix }),
      fc.record({ owner, name, suffix, tail: fc.constantFrom("", "/info/lfs") }),
      (webUrl, at, ask) => {
        const own = parsePipelineRepository(at.spelling(webUrl.host, `${at.owner}/${at.name}${at.suffix}`), webUrl);
        const asked = parseRepositoryPath(`/${ask.owner}/${ask.name}${ask.suffix}${ask.tail}`);
        if (own === undefined || asked === undefined) throw new Error("a spelling that is not understood");
        const isOwn = isSameName(at.owner, ask.owner) && isSameName(at.name, ask.name);
        expect(isPipelineRepository(own.httpsUrl, asked, webUrl)).toBe(isOwn);
        const elsewhere = new URL("https://elsewhere.example");
        expect(isPipelineRepository(own.httpsUrl, asked, elsewhere)).toBe(false);
      },
    ),
    { numRuns: 2_000 },
  ));

test("an organization's token, which has no repository of its own, is no pipeline's", () => {
  expect(isPipelineRepository("", { owner: "acme", name: "widget" }, new URL("https://github.com"))).toBe(false);
  expect(
    isPipelineRepository(
      "https://github.com/acme/widget",
      { owner: "acme", name: undefined },
      new URL("https://github.com"),
    ),
  ).toBe(false);
});
