import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { elastiCacheTokens, IamCacheAuthOptionError, memoryDBTokens } from "../../src/iamcacheauth/index.ts";
import { rejectToken } from "../support/valkey/sigv4-verifier.ts";

const name = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9]{0,12}(-[a-zA-Z0-9]{1,8}){0,3}$/);
const secret = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme-ascii" });

test("a token for any legal name, user, key and session is accepted by an independent verifier", async () => {
  const key = fc.stringMatching(/^[A-Z0-9]{16,20}$/);
  const at = fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true });
  const inputs = fc.tuple(name, name, key, secret, fc.string({ maxLength: 200, unit: "binary" }), at, fc.boolean());
  await fc.assert(
    fc.asyncProperty(inputs, async ([cache, userId, accessKeyId, secretAccessKey, sessionToken, date, flag]) => {
      const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken });
      const shared = { userId, region: "eu-west-1", credentials, clock: () => date };
      const cacheName = cache.toLowerCase();
      const keys = { region: "eu-west-1", cacheName, accessKeyId, secretAccessKey, nowMs: () => date.getTime() };
      const elasticache = await elastiCacheTokens({ ...shared, cacheName: cache, serverless: flag }).token();
      const memorydb = await memoryDBTokens({ ...shared, clusterName: cache }).token();
      expect(rejectToken(userId, elasticache, { ...keys, service: "elasticache", serverless: flag })).toBeUndefined();
      expect(rejectToken(userId, memorydb, { ...keys, service: "memorydb", serverless: false })).toBeUndefined();
      expect(rejectToken(userId, memorydb, { ...keys, service: "elasticache", serverless: false })).toBeDefined();
    }),
  );
});

test("any name either is refused with a code or comes back as the token's host, lower-cased", async () => {
  const credentials = () => Promise.resolve({ accessKeyId: "AKIA", secretAccessKey: "s" });
  await fc.assert(
    fc.asyncProperty(fc.oneof(name, fc.string({ maxLength: 45 }), fc.string({ unit: "binary" })), async (cacheName) => {
      try {
        const tokens = elastiCacheTokens({ userId: "u", cacheName, region: "us-east-1", credentials });
        expect((await tokens.token()).split("/?Action=connect&User=u&")[0]).toBe(cacheName.toLowerCase());
        expect(cacheName).toMatch(/^[a-zA-Z0-9-]{1,40}$/);
      } catch (error) {
        if (!(error instanceof IamCacheAuthOptionError)) throw error;
        expect(error.code).toBe("illegal-cache-name");
      }
    }),
  );
});
