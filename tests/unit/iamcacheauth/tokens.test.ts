import { describe, expect, test } from "bun:test";
import {
  elastiCacheTokens,
  IamCacheAuthCredentialsError,
  IamCacheAuthOptionError,
  memoryDBTokens,
} from "../../../src/iamcacheauth/index.ts";
import vectors from "../../vectors/iamcacheauth/vectors.json";
import { rejectToken } from "../../support/valkey/sigv4-verifier.ts";

type Vector = (typeof vectors)[number];

const credentials = () => Promise.resolve({ accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "example" });
const good = { userId: "my-user", cacheName: "my-cache", region: "us-east-1", credentials };
const goodCluster = { userId: "my-user", clusterName: "my-cluster", region: "us-east-1", credentials };

describe("tokens of the Go library", () => {
  test.each(vectors.filter((vector) => vector.Legal))("$Name: ours is the same, byte for byte", async (vector) => {
    expect(await sourceOf(vector).token()).toBe(vector.Token);
  });

  test.each(vectors.filter((vector) => vector.Legal))("$Name: an independent verifier accepts it", (vector) => {
    const expected = {
      service: vector.Service as "elasticache" | "memorydb",
      region: vector.Region,
      cacheName: vector.Cache,
      serverless: vector.Serverless,
      accessKeyId: vector.AccessKeyID,
      secretAccessKey: vector.SecretAccessKey,
      nowMs: () => Date.parse(vector.Date),
    };
    expect(rejectToken(vector.User, vector.Token, expected)).toBeUndefined();
    expect(rejectToken("another", vector.Token, expected)).toBe("another user");
    expect(rejectToken(vector.User, vector.Token, { ...expected, secretAccessKey: "x" })).toBe("a wrong signature");
  });

  test.each(vectors.filter((vector) => !vector.Legal))("$Name: refused with a code", async (vector) => {
    const made = Promise.try(() => sourceOf(vector).token());
    const error = await made.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).toHaveProperty("code", expect.stringMatching(/^(illegal|serverless|credentials)-/));
  });
});

describe("construction", () => {
  const longest = "a".repeat(40);
  test.each([
    ["empty", ""],
    ["41 characters", `${longest}a`],
    ["digit first", "1cache"],
    ["hyphen first", "-cache"],
    ["hyphen last", "cache-"],
    ["two hyphens in a row", "my--cache"],
    ["underscore", "my_cache"],
    ["space", "my cache"],
    ["slash", "my/cache"],
    ["question mark", "my?x=1"],
    ["user info", "user@cache"],
    ["port", "my-cache:80"],
    ["endpoint", "my-cache.xxxxxx.use1.cache.amazonaws.com"],
    ["newline after it", "my-cache\n"],
    ["a letter that lower-cases into ASCII", "my-\u212Aache"],
    ["not a string", 7],
    ["undefined", undefined],
  ])("refuses a name: %s", (_case, name) => {
    expect(codeOf(() => elastiCacheTokens({ ...good, cacheName: name as string }))).toBe("illegal-cache-name");
    expect(codeOf(() => memoryDBTokens({ ...goodCluster, clusterName: name as string }))).toBe("illegal-cluster-name");
  });

  test.each([[""], ["1user"], ["-user"], ["a b"], ["a/b"], ["a&User=b"], ["é"], ["u\n"], [undefined], [null]])(
    "refuses a user id: %p",
    (userId) => {
      expect(codeOf(() => elastiCacheTokens({ ...good, userId: userId as string }))).toBe("illegal-user-id");
    },
  );

  test.each([[""], ["US-EAST-1"], ["us-east"], ["us-east-1a"], ["us east-1"], ["us-east-1/x"], [undefined]])(
    "refuses a region: %p",
    (region) => {
      expect(codeOf(() => elastiCacheTokens({ ...good, region: region as string }))).toBe("illegal-region");
    },
  );

  test.each(["us-east-1", "us-gov-west-1", "ap-southeast-7", "us-isob-east-1", "eusc-de-east-1", "mx-central-1"])(
    "takes the region %s",
    (region) => {
      expect(codeOf(() => elastiCacheTokens({ ...good, region }))).toBeUndefined();
    },
  );

  test("refuses credentials that are not a provider function", () => {
    const fixed = { accessKeyId: "a", secretAccessKey: "b" };
    expect(codeOf(() => elastiCacheTokens({ ...good, credentials: undefined as never }))).toBe("missing-credentials");
    expect(codeOf(() => memoryDBTokens({ ...goodCluster, credentials: fixed as never }))).toBe("missing-credentials");
  });

  test("refuses serverless with MemoryDB, and anything but true and false for it", () => {
    const asked = { ...goodCluster, serverless: true };
    expect(codeOf(() => memoryDBTokens(asked))).toBe("serverless-not-supported");
    expect(codeOf(() => memoryDBTokens({ ...goodCluster, serverless: false } as never))).toBeUndefined();
    expect(codeOf(() => elastiCacheTokens({ ...good, serverless: "true" as never }))).toBe("illegal-serverless");
  });

  test("a refusal is a TypeError", () => {
    expect(() => elastiCacheTokens({ ...good, userId: "" })).toThrow(TypeError);
    expect(() => elastiCacheTokens({ ...good, userId: "" })).toThrow(IamCacheAuthOptionError);
  });

  test("takes a name of 40 characters", () => {
    expect(codeOf(() => elastiCacheTokens({ ...good, cacheName: longest }))).toBeUndefined();
  });
});

describe("token()", () => {
  const clock = () => new Date("2026-03-15T12:34:56.789Z");

  test("a cache name's capitals are lowered", async () => {
    const token = await elastiCacheTokens({ ...good, cacheName: "My-Cache", clock }).token();
    expect(token).toBe(await elastiCacheTokens({ ...good, clock }).token());
    expect(token).toStartWith("my-cache/?Action=connect&User=my-user&");
  });

  test("asks the provider and signs anew at each call", async () => {
    const keys = ["AKIAONE", "AKIATWO"];
    const provider = () => Promise.resolve({ accessKeyId: keys.shift() ?? "", secretAccessKey: "s" });
    const source = elastiCacheTokens({ ...good, credentials: provider, clock });
    expect(await source.token()).toContain("Credential=AKIAONE%2F");
    expect(await source.token()).toContain("Credential=AKIATWO%2F");
  });

  test("rejects with the provider's error as the cause, and recovers at the next call", async () => {
    const failure = new Error("no endpoint");
    const answers = [() => Promise.reject(failure), credentials];
    const source = elastiCacheTokens({ ...good, credentials: () => (answers.shift() ?? credentials)(), clock });
    const error = await source.token().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(IamCacheAuthCredentialsError);
    expect(error).toMatchObject({ code: "credentials-unavailable", cause: failure });
    expect(await source.token()).toStartWith("my-cache/?");
  });

  test("a provider that throws at once is the same as one that rejects", async () => {
    const thrower = () => {
      throw new Error("at once");
    };
    const error = await elastiCacheTokens({ ...good, credentials: thrower })
      .token()
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "credentials-unavailable" });
  });

  test.each([
    [{ accessKeyId: "", secretAccessKey: "s" }],
    [{ accessKeyId: "a", secretAccessKey: "" }],
    [{ accessKeyId: "a" }],
    [undefined],
  ])("rejects incomplete credentials: %p", async (incomplete) => {
    const source = elastiCacheTokens({ ...good, credentials: () => Promise.resolve(incomplete as never) });
    expect(await source.token().catch((reason: unknown) => reason)).toMatchObject({ code: "credentials-incomplete" });
  });

  test("gives up when its signal aborts, before or while the provider works", async () => {
    const never = elastiCacheTokens({ ...good, credentials: () => new Promise(() => undefined) });
    const reason = new Error("enough");
    expect(await never.token({ signal: AbortSignal.abort(reason) }).catch((error: unknown) => error)).toBe(reason);
    const controller = new AbortController();
    const waiting = never.token({ signal: controller.signal }).catch((error: unknown) => error);
    controller.abort(reason);
    expect(await waiting).toBe(reason);
  });

  test("an empty session token is none", async () => {
    const keys = { accessKeyId: "AKIA", secretAccessKey: "s" };
    const empty = elastiCacheTokens({
      ...good,
      credentials: () => Promise.resolve({ ...keys, sessionToken: "" }),
      clock,
    });
    const none = elastiCacheTokens({ ...good, credentials: () => Promise.resolve(keys), clock });
    expect(await empty.token()).toBe(await none.token());
  });
});

function sourceOf(vector: Vector) {
  const { AccessKeyID: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = vector;
  const shared = {
    userId: vector.User,
    region: vector.Region,
    credentials: () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken }),
    clock: () => new Date(vector.Date),
  };
  if (vector.Service === "elasticache") {
    return elastiCacheTokens({ ...shared, cacheName: vector.Cache, serverless: vector.Serverless });
  }
  const memorydb = { ...shared, clusterName: vector.Cache, serverless: vector.Serverless };
  return memoryDBTokens(memorydb);
}

function codeOf(construct: () => unknown): string | undefined {
  try {
    construct();
    return undefined;
  } catch (error) {
    return error instanceof IamCacheAuthOptionError ? error.code : `unexpected: ${String(error)}`;
  }
}
