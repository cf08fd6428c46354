import { describe, expect, test } from "bun:test";
import { parsePipelineRepository, parseRepositoryPath } from "../../../src/github/repository-url.ts";

const GITHUB = new URL("https://github.com");
const ENTERPRISE = new URL("https://git.example.com:8443");

describe("parsePipelineRepository()", () => {
  test.each([
    ["https://github.com/acme/widget", { owner: "acme", name: "widget", httpsUrl: "https://github.com/acme/widget" }],
    [
      "https://github.com/acme/widget.git",
      { owner: "acme", name: "widget", httpsUrl: "https://github.com/acme/widget.git" },
    ],
    [
      "https://github.com:443/acme/widget.git",
      { owner: "acme", name: "widget", httpsUrl: "https://github.com/acme/widget.git" },
    ],
    [
      "git@github.com:acme/widget.git",
      { owner: "acme", name: "widget", httpsUrl: "https://github.com/acme/widget.git" },
    ],
    ["git@github.com:Acme/Widget", { owner: "Acme", name: "Widget", httpsUrl: "https://github.com/Acme/Widget" }],
    [
      "ssh://git@github.com/acme/widget.git",
      { owner: "acme", name: "widget", httpsUrl: "https://github.com/acme/widget.git" },
    ],
    [
      "ssh://git@github.com:22/acme/widget",
      { owner: "acme", name: "widget", httpsUrl: "https://github.com/acme/widget" },
    ],
  ])("reads %s", (text, expected) => {
    expect(parsePipelineRepository(text, GITHUB)).toEqual(expected);
  });

  test("reads a host with a port as GITHUB_URL has it", () => {
    expect(parsePipelineRepository("https://git.example.com:8443/a/b.git", ENTERPRISE)?.httpsUrl).toBe(
      "https://git.example.com:8443/a/b.git",
    );
    expect(parsePipelineRepository("git@git.example.com:a/b.git", ENTERPRISE)?.name).toBe("b");
  });

  test.each([
    "",
    "acme/widget",
    "https://github.com",
    "https://github.com/",
    "https://github.com/acme",
    "https://github.com/acme/",
    "https://github.com//widget",
    "https://github.com/acme/widget/",
    "https://github.com/acme/widget/tree/main",
    "https://github.com/acme/.git",
    "https://github.com/acme/..",
    "https://github.com/acme/.",
    "https://github.com/acme/widget.git.git",
    "https://github.com/acme/wid%67et",
    "https://github.com/acme/widget?ref=main",
    "https://github.com/acme/widget#readme",
    "https://user@github.com/acme/widget",
    "https://user:pass@github.com/acme/widget",
    "https://github.com:8443/acme/widget",
    "https://github.com.evil.example/acme/widget",
    "https://evilgithub.com/acme/widget",
    "http://github.com/acme/widget",
    "ssh://root@github.com/acme/widget",
    "ssh://git@github.com:2222/acme/widget",
    "git://github.com/acme/widget",
    "git@gitlab.com:acme/widget",
    "git@github.com:/acme/widget",
    "git@github.com:acme/widget\n",
    " https://github.com/acme/widget",
    "https://github.com/acme/wid get",
    `https://github.com/acme/${"a".repeat(101)}`,
    "https://github.com/-acme/widget",
  ])("vends nothing for %p", (text) => {
    expect(parsePipelineRepository(text, GITHUB)).toBeUndefined();
  });
});

describe("parseRepositoryPath()", () => {
  test.each([
    ["acme/widget", { owner: "acme", name: "widget" }],
    ["acme/widget.git", { owner: "acme", name: "widget" }],
    ["acme/widget.git/info/lfs", { owner: "acme", name: "widget" }],
    ["/acme/widget", { owner: "acme", name: "widget" }],
  ])("takes the first two segments of %s", (path, expected) => {
    expect(parseRepositoryPath(path)).toEqual(expected);
  });

  test.each(["", "/", "acme", "acme/", "//widget", "acme/.git", "acme/%77idget", "acme/..", "acme/wid get"])(
    "finds no repository in %p",
    (path) => {
      expect(parseRepositoryPath(path)).toBeUndefined();
    },
  );
});
