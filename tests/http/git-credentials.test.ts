import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { POLICY_LOCATION } from "../../src/simulator/default-world.ts";
import { underTest } from "../support/bridge.ts";
import { startWorld, type TestWorld } from "../support/world.ts";

const SKIPPED = "skipped(success): no credentials for requested context";
const ORG = "/organization/git-credentials";
let world: TestWorld;
beforeAll(async () => {
  world = await startWorld({ GITHUB_ORG_PROFILE: POLICY_LOCATION });
});
afterAll(() => world[Symbol.asyncDispose]());

const asking = (path?: string) => `protocol=https\nhost=github.com\n${path === undefined ? "" : `path=${path}\n`}\n`;
const ask = (route: string, body: string, pipeline = "widget") =>
  world.ask(route, { body, jwt: world.jwt({}, pipeline) });
const isEmpty = ({ status, text, headers }: Awaited<ReturnType<typeof ask>>) =>
  status === 200 && text === "" && headers.get("content-length") === "0" && !headers.has("chinmina-denied");

describe(`git credentials (${underTest})`, () => {
  test("answers in git's format, path as git sent it, ended by an empty line", async () => {
    const { status, headers, text, audit } = await ask("/git-credentials", asking("acme/widget"));
    const expiry = Date.parse(audit["token"].expiry) / 1000;
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/plain");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(text.replace(/ghs_\S+/, "TOKEN")).toBe(
      `protocol=https\nhost=github.com\npath=acme/widget\nusername=x-access-token\npassword=TOKEN\npassword_expiry_utc=${expiry}\n\n`,
    );
    expect(audit["token"].requestedRepository).toBe("https://github.com/acme/widget");
  });

  test.each([
    "protocol=https\r\nhost=github.com\r\npath=acme/widget.git\r\n\r\n",
    "protocol=https\nhost=github.com\npath=acme/widget.git",
    "junk\n=x\nprotocol=http\nprotocol=https\nhost=github.com\npath=acme/widget.git\n\nhost=evil.example\n",
    "capability[]=authtype\nprotocol=https\nhost=github.com\npath=ACME/Widget.git/info/lfs\nwwwauth[]=Basic\n",
  ])("reads what git and its relatives send (%#)", async (body) => {
    expect((await ask("/git-credentials", body)).text).toContain("password=ghs_");
  });

  test.each(["", "\n", "protocol=\nhost=\npath=\n", "username=x\n"])(
    "with protocol, host and path all absent or empty the reply is empty, whatever the profile (%#)",
    async (body) => {
      for (const route of ["/git-credentials", "/git-credentials/no-such-profile", `${ORG}/everything`]) {
        const answer = await ask(route, body);
        expect(isEmpty(answer)).toBe(true);
        expect(answer.audit["error"]).toBe(SKIPPED);
        expect(answer.audit["token"] ?? {}).not.toHaveProperty("app");
      }
    },
  );

  test.each([
    "protocol=https\n",
    "host=github.com\n",
    "path=acme/widget\n",
    "protocol=https\npath=x\n",
    "protocol=\nhost=github.com\n",
  ])("half a context is 400 (%#)", async (body) => {
    const { status, text, headers } = await ask("/git-credentials", body);
    expect({ status, text, denied: headers.get("chinmina-denied") }).toEqual({
      status: 400,
      text: "",
      denied: "Bad Request",
    });
  });

  test.each([
    "protocol=http\nhost=github.com\n",
    "protocol=https\nhost=gitlab.com\n",
    "protocol=https\nhost=github.com:443\n",
    "protocol=https\nhost=github.com:8443\n",
    "protocol=https\nhost=github.com.\n",
    "protocol=https\nhost=GitHub.com\n",
    "protocol=HTTPS\nhost=github.com\n",
    "protocol=ssh\nhost=github.com\n",
  ])(
    "another protocol, host, port, dot or case gets nothing, even for an all-repositories profile (%#)",
    async (context) => {
      const calls = world.simulator.journal.entries().length;
      expect(isEmpty(await ask(`${ORG}/everything`, `${context}path=acme/widget\n`))).toBe(true);
      expect(world.simulator.journal.entries().length).toBe(calls);
    },
  );

  test.each([undefined, "", "/", "acme", "acme/"])(
    "a path that names no repository (%p) is answered by the kind of profile",
    async (path) => {
      expect(isEmpty(await ask("/git-credentials", asking(path)))).toBe(true);
      expect(isEmpty(await ask(`${ORG}/plugins`, asking(path)))).toBe(true);
      const scoped = await ask(`${ORG}/any-one-repository`, asking(path));
      expect({ status: scoped.status, denied: scoped.headers.get("chinmina-denied") }).toEqual({
        status: 400,
        denied: "repository scope is required for this profile",
      });
      const all = await ask(`${ORG}/everything`, asking(path));
      expect(all.text).toContain("password=ghs_");
      expect(all.text.includes("path=")).toBe(path !== undefined);
    },
  );

  test("a pipeline's token is for its own repository alone, and the entry stays", async () => {
    const own = await ask("/git-credentials", asking("acme/widget.git"));
    expect(isEmpty(await ask("/git-credentials", asking("acme/gadget.git")))).toBe(true);
    expect(isEmpty(await ask("/git-credentials", asking("globex/widget.git")))).toBe(true);
    const again = await ask("/git-credentials", asking("acme/widget.git"));
    expect(again.text).toBe(own.text);
  });

  test("a pipeline that has moved gets its new repository at the next git request for it", async () => {
    expect((await ask("/git-credentials", asking("acme/plugins"), "plugins")).text).toContain("password=");
    world.simulator.pipeline("plugins").repository = "https://github.com/acme/gadget.git";
    const moved = await ask("/git-credentials", asking("acme/gadget"), "plugins");
    expect(moved.text).toContain("password=");
    expect(moved.audit["token"].repositories).toEqual(["gadget"]);
    world.simulator.pipeline("plugins").repository = "https://github.com/acme/plugins.git";
  });

  test("Buildkite is asked again at most once a minute for a pipeline, however many submodules it has", async () => {
    await ask("/git-credentials", asking("acme/gadget"), "gadget");
    const reads = () => world.simulator.journal.entries({ upstream: "buildkite", path: /gadget$/ }).length;
    const before = reads();
    for (let count = 0; count < 5; count++)
      expect(isEmpty(await ask("/git-credentials", asking(`acme/sub-${count}`), "gadget"))).toBe(true);
    expect(reads()).toBe(before + 1);
  });

  test("an organization profile answers for the repositories it reaches, by owner and name", async () => {
    expect((await ask(`${ORG}/plugins`, asking("acme/GADGET.git/info/lfs"))).text).toContain("password=");
    expect(isEmpty(await ask(`${ORG}/plugins`, asking("acme/widget")))).toBe(true);
    expect(isEmpty(await ask(`${ORG}/plugins`, asking("globex/gadget")))).toBe(true);
    expect(isEmpty(await ask(`${ORG}/everything`, asking("globex/widget")))).toBe(true);
    expect(isEmpty(await ask(`${ORG}/any-one-repository`, asking("globex/widget")))).toBe(true);
    const scoped = await ask(`${ORG}/any-one-repository`, asking("acme/gadget.git"));
    expect(scoped.audit["token"].requestedProfile).toBe(
      "profile://organization/acme/profile/any-one-repository/repository/gadget",
    );
  });

  test("a pipeline of another owner or host gets an empty reply, not a refusal", async () => {
    expect(isEmpty(await ask("/git-credentials", asking("globex/widget"), "of-another-owner"))).toBe(true);
    expect(isEmpty(await ask("/git-credentials", asking("acme/widget"), "on-another-host"))).toBe(true);
  });

  test.each([
    ["/git-credentials/nope", 404, "profile not found"],
    [`${ORG}/everything`, 403, "Forbidden"],
    ["/git-credentials/org:x", 400, "Bad Request"],
  ])("%s: an error is an empty text/plain body with the message in Chinmina-Denied", async (route, status, denied) => {
    const { text, headers, ...answer } = await ask(route, asking("acme/gadget"), "gadget");
    expect({
      status: answer.status,
      text,
      denied: headers.get("chinmina-denied"),
      type: headers.get("content-type"),
    }).toEqual({
      status,
      text: "",
      denied,
      type: "text/plain",
    });
  });

  test("401 is JSON on git routes too", async () => {
    const { status, json, headers } = await world.ask("/git-credentials", { jwt: "x", body: asking("acme/widget") });
    expect({ status, json }).toEqual({
      status: 401,
      json: { error: "invalid_token", error_description: "The access token is invalid" },
    });
    expect(headers.has("chinmina-denied")).toBe(false);
  });

  test.each(["protocol=https\nhost=github.com\npath=acme/wid\0get\n", "protocol=https\nhost=github.com\npath=a\rb\n"])(
    "a value that cannot be written back is 400, never half a reply (%#)",
    async (body) => {
      expect((await ask("/git-credentials", body)).status).toBe(400);
    },
  );
});
