import { describe, expect, test } from "bun:test";
import { toUpstreamFault } from "../../../src/aws/aws-fault.ts";
import { createPipelines } from "../../../src/buildkite/pipelines.ts";
import { createGitHubClient } from "../../../src/github/client.ts";
import { BridgeError } from "../../../src/lib/bridge-error.ts";
import type { BoundedFetch } from "../../../src/lib/bounded-fetch.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { UpstreamFault, type Upstream } from "../../../src/lib/upstream-fault.ts";
import { isOutage, isRefusal, judgeReply } from "../../../src/lib/upstream-verdict.ts";
import { discoverKeys } from "../../../src/oidc/discover-keys.ts";
import { rejection } from "../../support/rejection.ts";

type Verdict = ReturnType<typeof judgeReply>;
/** Statuses from and to, both included. */
type Row = readonly [from: number, to: number, verdict: Verdict];

const NOBODY_REFUSES: readonly Row[] = [
  [100, 199, "upstream-unavailable"],
  [200, 200, "success"],
  [201, 599, "upstream-unavailable"],
];
const ONE_SUCCESS: readonly Row[] = [
  [100, 199, "upstream-malformed"],
  [200, 200, "success"],
  [201, 399, "upstream-malformed"],
  [400, 428, "upstream-refused"],
  [429, 429, "upstream-unavailable"],
  [430, 499, "upstream-refused"],
  [500, 599, "upstream-unavailable"],
];
const GITHUB: readonly Row[] = [
  [100, 199, "upstream-malformed"],
  [200, 299, "success"],
  [300, 303, "upstream-malformed"],
  [304, 304, "success"],
  [305, 399, "upstream-malformed"],
  [400, 428, "upstream-refused"],
  [429, 429, "upstream-unavailable"],
  [430, 499, "upstream-refused"],
  [500, 599, "upstream-unavailable"],
];
const TABLE: Readonly<Record<Upstream, readonly Row[]>> = {
  github: GITHUB,
  buildkite: ONE_SUCCESS,
  kms: ONE_SUCCESS,
  "secrets-manager": ONE_SUCCESS,
  valkey: ONE_SUCCESS,
  oidc: NOBODY_REFUSES,
  "aws-credentials": NOBODY_REFUSES,
  "ecs-metadata": NOBODY_REFUSES,
};
const UPSTREAMS = Object.keys(TABLE).filter((name): name is Upstream => name in TABLE);
const EVERY_STATUS = Array.from({ length: 500 }, (_none, index) => 100 + index);

function expected(rows: readonly Row[], status: number): Verdict {
  const found = rows.filter(([from, to]) => from <= status && status <= to);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} rows for ${status}`);
  return found[0][2];
}

/** The verdict on a status as the very client of that upstream passes it on. */
const answering =
  (status: number): BoundedFetch =>
  () =>
    Promise.resolve({ status, headers: new Headers(), body: new TextEncoder().encode("{}") });
const verdictOf = async (call: Promise<unknown>): Promise<Verdict> => {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return "success";
  if (!(error instanceof UpstreamFault)) throw new Error("an unexpected failure", { cause: error });
  // A success whose empty body the client then finds wanting.
  return error.message.includes("is not as documented") ? "success" : error.code;
};
const github = (operation: string, method: "GET" | "POST" | "DELETE") => (status: number) =>
  verdictOf(
    createGitHubClient(new URL("https://api.github.com"), answering(status)).call({
      operation,
      method,
      path: "/x",
      bearer: "x",
    }),
  );
const aws =
  (upstream: Upstream) =>
  (status: number): Promise<Verdict> =>
    Promise.resolve<Verdict>(
      status === 200
        ? "success"
        : toUpstreamFault({ name: "Unnamed", $metadata: { httpStatusCode: status } }, upstream, "call").code,
    );
const CLIENTS: readonly (readonly [string, Upstream, (status: number) => Promise<Verdict>])[] = [
  ["GitHub, tokens", "github", github("create installation token", "POST")],
  ["GitHub, revocation", "github", github("revoke installation token", "DELETE")],
  ["GitHub, contents", "github", github("read profile file", "GET")],
  ["GitHub, installations", "github", github("read installation", "GET")],
  [
    "Buildkite",
    "buildkite",
    (status) =>
      verdictOf(
        createPipelines(new URL("https://api.buildkite.com"), new Secret("x"), answering(status)).read(
          "acme",
          "widget",
          { caller: "p", isFresh: true },
        ),
      ),
  ],
  ["the issuer", "oidc", (status) => verdictOf(discoverKeys("https://issuer.example", answering(status)))],
  ["KMS", "kms", aws("kms")],
  ["Secrets Manager", "secrets-manager", aws("secrets-manager")],
];

describe("judgeReply() tells outage from refusal", () => {
  test.each(UPSTREAMS)("for every status of %s", (upstream) => {
    for (const status of EVERY_STATUS) {
      expect([status, judgeReply({ upstream, status })]).toEqual([status, expected(TABLE[upstream], status)]);
    }
  });

  test.each(CLIENTS)("and the client of %s says the same", async (_name, upstream, ask) => {
    for (const status of EVERY_STATUS) {
      expect([status, await ask(status)]).toEqual([status, expected(TABLE[upstream], status)]);
    }
  });

  test("no complete answer is an outage, of whomever", () => {
    for (const [, upstream] of CLIENTS) {
      expect(judgeReply({ upstream })).toBe("upstream-unavailable");
    }
  });

  test("whoever says to come back later is an outage, whatever the status", () => {
    for (const status of [400, 403, 404]) {
      expect(judgeReply({ upstream: "github", status, saysLater: true })).toBe("upstream-unavailable");
    }
  });
});

describe("AWS names some passing errors with 4xx", () => {
  const judge = (name: string, status?: number) =>
    toUpstreamFault({ name, $metadata: status === undefined ? {} : { httpStatusCode: status } }, "kms", "sign App JWT")
      .code;

  test.each([
    ["ThrottlingException", 400, "upstream-unavailable"],
    ["KMSInternalException", 500, "upstream-unavailable"],
    ["KeyUnavailableException", 400, "upstream-unavailable"],
    ["ExpiredTokenException", 400, "upstream-unavailable"],
    ["AccessDeniedException", 400, "upstream-refused"],
    ["DisabledException", 400, "upstream-refused"],
    ["NotFoundException", 400, "upstream-refused"],
    ["SyntaxError", 200, "upstream-malformed"],
    ["SyntaxError", 400, "upstream-malformed"],
    ["SyntaxError", 502, "upstream-unavailable"],
    ["ReplyTooLarge", undefined, "upstream-malformed"],
    ["TimeoutError", undefined, "upstream-unavailable"],
  ] as const)("%s with status %p", (name, status, expectedCode) => {
    expect(judge(name, status)).toBe(expectedCode);
  });
});

describe("of the failures of calls", () => {
  test.each([
    ["upstream-unavailable", true, false],
    ["upstream-refused", false, true],
    ["upstream-malformed", false, false],
  ] as const)("%s", async (code, outage, refusal) => {
    const error = await rejection(Promise.reject(new UpstreamFault(code, "call", { upstream: "github" })));
    expect([isOutage(error), isRefusal(error)]).toEqual([outage, refusal]);
  });

  test("our own faults are neither", () => {
    for (const error of [new BridgeError("grant-too-wide", ""), new TypeError(""), undefined, "text"]) {
      expect([isOutage(error), isRefusal(error)]).toEqual([false, false]);
    }
  });
});
