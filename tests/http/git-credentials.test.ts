import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DEFAULT_POLICY } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { expectNothing, expectRefusal } from "../support/http-assertions.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({}, { policy: DEFAULT_POLICY });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const NAMES = "/organization/git-credentials/plugins";
const ALL = "/organization/git-credentials/everything";
const SCOPED = "/organization/git-credentials/any-one-repository";
const about = (path?: string) => `protocol=https\nhost=github.com\n${path === undefined ? "" : `path=${path}\n`}\n`;
const calls = () => world.simulator.journal.entries().length;

describe(`POST /git-credentials (${underTest})`, () => {
  test("answers in git's credential format, closed by an empty line, for nobody to store", async () => {
    const { status, headers, text, audit } = await world.ask("/git-credentials", { body: about("acme/widget") });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/plain");
    expect(headers.get("cache-control")).toBe("no-store");
    const token = world.simulator.github.issuedTokens().at(-1);
    expect(text).toBe(
      [
        "protocol=https",
        "host=github.com",
        "path=acme/widget",
        "username=x-access-token",
        `password=${token?.token}`,
        `password_expiry_utc=${Math.floor((token?.expiresAtMs ?? 0) / 1000)}`,
        "",
        "",
      ].join("\n"),
    );
    expect(audit["token"]).toMatchObject({
      requestedRepository: "https://github.com/acme/widget",
      vendedRepository: "https://github.com/acme/widget.git",
      hashedToken: expect.any(String),
    });
  });

  test.each([
    ["as the plugin sends it, without a final line end", "protocol=https\nhost=github.com\npath=acme/widget.git"],
    ["with CRLF line ends", "protocol=https\r\nhost=github.com\r\npath=acme/widget\r\n\r\n"],
    ["with lines that say nothing", "=x\nnothing\nprotocol=https\nhost=github.com\n==\npath=acme/widget\n\n"],
    [
      "with keys that newer gits send",
      "capability[]=authtype\nprotocol=https\nhost=github.com\npath=acme/widget\nwwwauth[]=Basic\n",
    ],
    [
      "with a repeated key, the last of which counts",
      "host=evil.example\npath=x/y\nprotocol=http\nprotocol=https\nhost=github.com\npath=acme/widget\n",
    ],
    [
      "with something behind the first empty line",
      "protocol=https\nhost=github.com\npath=acme/widget\n\nhost=evil.example\n",
    ],
    ["in another case", about("ACME/Widget")],
    ["with a slash in front", about("/acme/widget")],
    ["of git LFS", about("acme/widget.git/info/lfs")],
    ["with a trailing slash", about("acme/widget/")],
  ])("a request %s gets the token", async (_what, body) => {
    const { status, text } = await world.ask("/git-credentials", { body });
    expect(status).toBe(200);
    expect(text).toContain("\npassword=ghs_");
    expect(text).not.toContain("evil");
  });

  test("path is answered as git sent it", async () => {
    const { text } = await world.ask("/git-credentials", { body: about("acme/widget.git/info/lfs") });
    expect(text).toContain("\npath=acme/widget.git/info/lfs\n");
  });
});

describe(`what git's rules answer before any profile (${underTest})`, () => {
  // The profile does not exist and nobody upstream is asked: these answers cannot depend on either.
  const unresolvable = ["/git-credentials/nobody", "/organization/git-credentials/nobody"];

  test.each(
    unresolvable.flatMap((path) =>
      ["", "\n", "protocol=\nhost=\npath=\n", "username=x\n", "nonsense", "\nprotocol=https\nhost=github.com\n"].map(
        (body) => [path, body] as const,
      ),
    ),
  )("%s with %j: all three absent or empty is an empty 200", async (path, body) => {
    const before = calls();
    const answer = await world.ask(path, { body });
    expectNothing(answer);
    expect(answer.audit["token"]).toEqual({ requestedProfile: "nobody" });
    expect(calls()).toBe(before);
  });

  test.each(
    unresolvable.flatMap((path) =>
      [
        "protocol=https\n",
        "host=github.com\n",
        "path=acme/widget\n",
        "protocol=https\nhost=\npath=a/b\n",
        "protocol=\nhost=github.com\n",
        "host=github.com\npath=acme/widget\n",
        "protocol=https\npath=acme/widget\n",
      ].map((body) => [path, body] as const),
    ),
  )("%s with %j: half a context is 400", async (path, body) => {
    const answer = await world.ask(path, { body });
    expectRefusal(answer, "git", 400, "Bad Request");
    expect(answer.audit["token"]).toEqual({ requestedProfile: "nobody" });
  });

  test.each(
    unresolvable.flatMap((path) =>
      [
        ["http", "github.com"],
        ["HTTPS", "github.com"],
        ["ssh", "github.com"],
        ["https", "GitHub.com"],
        ["https", "github.com."],
        ["https", "github.com:443"],
        ["https", "github.com:8443"],
        ["https", "www.github.com"],
        ["https", "gitlab.com"],
        ["https", "github.com.evil.example"],
        ["https", "user@github.com"],
        ["https ", "github.com"],
        ["https", " github.com"],
      ].map(([protocol, host]) => [path, protocol, host] as const),
    ),
  )("%s: %j at %j is not ours: an empty 200", async (path, protocol, host) => {
    const before = calls();
    const answer = await world.ask(path, { body: `protocol=${protocol}\nhost=${host}\npath=acme/widget\n` });
    expectNothing(answer);
    expect(answer.audit["token"]).toEqual({
      requestedProfile: "nobody",
      requestedRepository: `${protocol}://${host}/acme/widget`,
    });
    expect(calls()).toBe(before);
  });

  test("on the bare route the audit entry has no profile name", async () => {
    expect((await world.ask("/git-credentials", { body: "" })).audit["token"]).toBeUndefined();
  });

  test.each([
    ["a NUL in the path", "protocol=https\nhost=github.com\npath=acme/wid\0get\n"],
    ["a lone carriage return in the path", "protocol=https\nhost=github.com\npath=acme/wid\rget\n"],
    ["a NUL in the host", "protocol=https\nhost=github.com\0\npath=acme/widget\n"],
  ])("%s cannot be written back: 400, never half a reply", async (_what, body) => {
    expectRefusal(await world.ask("/git-credentials", { body }), "git", 400, "Bad Request");
  });

  test("bytes that are not UTF-8 are 400", async () => {
    const body = Buffer.concat([Buffer.from("protocol=https\nhost=github.com\npath=acme/"), Buffer.from([0xff, 0x0a])]);
    expectRefusal(await world.ask("/git-credentials", { body }), "git", 400, "Bad Request");
  });
});

describe(`then the profile, its scope and its rules (${underTest})`, () => {
  test.each([undefined, "", "/", "acme", "/acme", "acme/"])(
    "a path that names no repository (%j): list of names and pipeline: an empty 200; caller-scoped: 400; all: the token",
    async (path) => {
      expectNothing(await world.ask("/git-credentials", { body: about(path) }));
      expectNothing(await world.ask(NAMES, { body: about(path) }));
      expectRefusal(
        await world.ask(SCOPED, { body: about(path) }),
        "git",
        400,
        "repository scope is required for this profile",
      );
      const { status, text } = await world.ask(ALL, { body: about(path) });
      expect(status).toBe(200);
      expect(text).toStartWith(
        `protocol=https\nhost=github.com\n${path === undefined ? "" : `path=${path}\n`}username=x-access-token\n`,
      );
    },
  );

  test("a profile that is not there is 404", async () => {
    expectRefusal(
      await world.ask("/git-credentials/nobody", { body: about("acme/widget") }),
      "git",
      404,
      "profile not found",
    );
  });

  test("rules that do not hold are 403", async () => {
    const answer = await world.ask(ALL, { jwt: world.jwt({}, "gadget"), body: about("acme/gadget") });
    expectRefusal(answer, "git", 403, "Forbidden");
    expect(answer.audit["token"].attemptedPatterns).toEqual([
      { claim: "pipeline_slug", pattern: "widget", value: "gadget" },
    ]);
  });

  test.each(["acme/gadget", "acme/widgets", "globex/widget", "acme/widget.git.git", "acme/wid%67et"])(
    "on pipeline routes %s is not the pipeline's own: an empty 200",
    async (path) => {
      expectNothing(await world.ask("/git-credentials", { body: about(path) }));
    },
  );

  test.each(["acme/plugins", "acme/GADGET.git"])("a list of names vends the whole list for %s", async (path) => {
    const { text, audit } = await world.ask(NAMES, { body: about(path) });
    expect(text).toContain("\npassword=ghs_");
    expect(audit["token"].repositories).toEqual(["plugins", "gadget"]);
  });

  test.each(["acme/widget", "globex/plugins", "octocat/gadget"])("a list of names does not reach %s", async (path) => {
    expectNothing(await world.ask(NAMES, { body: about(path) }));
  });

  test("caller-scoped: the URL's repository, and no other", async () => {
    const { text, audit } = await world.ask(SCOPED, { body: about("acme/gadget.git") });
    expect(text).toContain("\npassword=ghs_");
    expect(audit["token"]).toMatchObject({ repositories: ["gadget"] });
    expect(audit["token"].requestedProfile).toEndWith("/profile/any-one-repository/repository/gadget");
  });

  test.each([SCOPED, ALL])("%s has nothing for another owner's repository", async (path) => {
    expectNothing(await world.ask(path, { body: about("globex/widget") }));
  });

  test("a warm token is not handed out for another repository than it was made for", async () => {
    await world.ask("/git-credentials", { body: about("acme/widget") });
    expectNothing(await world.ask("/git-credentials", { body: about("acme/gadget") }));
    expect((await world.ask("/git-credentials", { body: about("acme/widget") })).audit["token"].source).toBe("memory");
  });

  test("a pipeline that has moved is found out by a request for its new repository", async () => {
    await using fresh = await startWorld();
    await fresh.ask("/git-credentials", { body: about("acme/widget") });
    fresh.simulator.pipeline("widget").repository = "https://github.com/acme/gadget.git";
    const { text, audit } = await fresh.ask("/git-credentials", { body: about("acme/gadget") });
    expect(text).toContain("\npassword=ghs_");
    expect(audit["token"].repositories).toEqual(["gadget"]);
    expectNothing(await fresh.ask("/git-credentials", { body: about("acme/widget") }));
  });

  test("a token that is made for a request about another repository is on record before it is kept", async () => {
    await using cold = await startWorld({}, { policy: DEFAULT_POLICY });
    const submodule = await cold.ask("/git-credentials", { body: about("acme/plugins") });
    expectNothing(submodule);
    expect(submodule.audit["token"]).not.toHaveProperty("hashedToken");
    const events = cold.bridge.audit.filter(({ message }) => message === "mint_event");
    const { audit } = await cold.ask("/git-credentials", { body: about("acme/widget") });
    expect(audit["token"].source).toBe("memory");
    expect(events.map(({ token }) => token.hashedToken)).toEqual([audit["token"].hashedToken]);
  });

  test("whether it has moved is asked once a minute, however many submodules are fetched", async () => {
    await using fresh = await startWorld();
    await fresh.ask("/git-credentials", { body: about("acme/widget") });
    const asked = () => fresh.simulator.journal.entries({ upstream: "buildkite" }).length;
    const before = asked();
    for (let index = 0; index < 5; index++)
      await fresh.ask("/git-credentials", { body: about(`acme/module-${index}`) });
    expect(asked() - before).toBe(1);
  });
});

describe(`GITHUB_URL with a port (${underTest})`, () => {
  test("only that host and port are ours", async () => {
    await using enterprise = await startWorld(
      { GITHUB_URL: "https://git.example:8443" },
      {
        prepare: ({ pipeline }) => (pipeline("widget").repository = "https://git.example:8443/acme/widget.git"),
      },
    );
    const body = (host: string) => `protocol=https\nhost=${host}\npath=acme/widget\n`;
    expectNothing(await enterprise.ask("/git-credentials", { body: body("git.example") }));
    expectNothing(await enterprise.ask("/git-credentials", { body: body("github.com") }));
    const { text } = await enterprise.ask("/git-credentials", { body: body("git.example:8443") });
    expect(text).toStartWith("protocol=https\nhost=git.example:8443\npath=acme/widget\nusername=");
  });
});
