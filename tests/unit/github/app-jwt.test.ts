import { describe, expect, test } from "bun:test";
import { generateKeyPairSync, verify } from "node:crypto";
import { createAppJwtSource } from "../../../src/github/app-jwt.ts";
import type { GitHubApp } from "../../../src/github/app.ts";
import { createPemSigner, describePemProblem } from "../../../src/github/pem-signer.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const pkcs1 = keys.privateKey.export({ type: "pkcs1", format: "pem" });
const pkcs8 = keys.privateKey.export({ type: "pkcs8", format: "pem" });

function world() {
  const clock = createFixedClock();
  const signer = createPemSigner(new Secret(pkcs1));
  let signatures = 0;
  let failure: Error | undefined;
  const app: GitHubApp = {
    name: "default",
    appId: 111,
    installationId: 222,
    signer: {
      sign: (message, signal) => {
        signatures += 1;
        return failure === undefined ? signer.sign(message, signal) : Promise.reject(failure);
      },
    },
  };
  return {
    clock,
    source: createAppJwtSource(app, clock),
    signatures: () => signatures,
    failWith: (error: Error | undefined) => (failure = error),
  };
}

const decode = (part: string | undefined) => JSON.parse(Buffer.from(part ?? "", "base64url").toString());

describe("the App JWT", () => {
  test("is dated a minute back, ends nine minutes ahead, and its signature verifies", async () => {
    const { source, clock } = world();
    const [header, payload, signature] = (await source.current()).split(".");
    const nowSeconds = clock.nowMs() / 1000;
    expect(decode(header)).toEqual({ alg: "RS256", typ: "JWT" });
    expect(decode(payload)).toEqual({ iat: nowSeconds - 60, exp: nowSeconds + 540, iss: "111" });
    const isGood = verify(
      "RSA-SHA256",
      Buffer.from(`${header}.${payload}`),
      keys.publicKey,
      Buffer.from(signature ?? "", "base64url"),
    );
    expect(isGood).toBe(true);
  });

  test("is reused while it has a minute to live, then signed anew", async () => {
    const { source, clock, signatures } = world();
    const first = await source.current();
    clock.advance(8 * 60_000 - 1);
    expect(await source.current()).toBe(first);
    clock.advance(1);
    expect(await source.current()).not.toBe(first);
    expect(signatures()).toBe(2);
  });

  test("in use is replaced ahead of time, and nobody waits for it", async () => {
    const { source, clock, signatures } = world();
    const first = await source.current();
    clock.advance(4 * 60_000 - 1);
    await source.current();
    expect(signatures()).toBe(1);
    clock.advance(1);
    for (let count = 0; count < 20; count++) expect(await source.current()).toBe(first);
    expect(signatures()).toBe(2);
    while ((await source.current()) === first) await new Promise((resolve) => setImmediate(resolve));
    expect(signatures()).toBe(2);
  });

  test("serves on to its end while it cannot be replaced, with a try every ten seconds", async () => {
    const { source, clock, signatures, failWith } = world();
    const first = await source.current();
    failWith(new Error("KMS is away"));
    for (let seconds = 1; seconds < 480; seconds++) {
      await clock.advanceAndSettle(1000);
      expect(await source.current()).toBe(first);
    }
    expect(signatures()).toBeWithin(24, 26);
    await clock.advanceAndSettle(1000);
    expect(await source.current().catch((error: unknown) => error)).toMatchObject({ message: "KMS is away" });
  });

  test("concurrent callers share one signature", async () => {
    const { source, signatures } = world();
    const all = await Promise.all(Array.from({ length: 20 }, () => source.current()));
    expect(new Set(all).size).toBe(1);
    expect(signatures()).toBe(1);
  });

  test("a failed signature is not remembered", async () => {
    const { source, failWith } = world();
    failWith(new Error("KMS is away"));
    expect(await source.current().catch((error: unknown) => error)).toMatchObject({ message: "KMS is away" });
    failWith(undefined);
    expect(await source.current()).toBeString();
  });

  test("a wall clock set back by an hour does not bring an old JWT back to life", async () => {
    const { source, clock } = world();
    const first = await source.current();
    clock.setWall(clock.nowMs() - 3_600_000);
    expect(await source.current()).not.toBe(first);
  });
});

describe("a PEM key", () => {
  test.each([
    ["PKCS#1", pkcs1],
    ["PKCS#8", pkcs8],
    ["with literal \\n for line ends", pkcs8.replaceAll("\n", "\\n")],
    ["with white space around it", `\n  ${pkcs8}\n`],
  ])("%s signs", async (_kind, pem) => {
    const signature = await createPemSigner(new Secret(pem)).sign(new TextEncoder().encode("message"));
    expect(verify("RSA-SHA256", Buffer.from("message"), keys.publicKey, signature)).toBe(true);
  });

  test.each([
    ["", "is not a PEM private key"],
    ["hunter2", "is not a PEM private key"],
    [keys.publicKey.export({ type: "spki", format: "pem" }), "is not a PEM private key"],
    [generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }), "is not an RSA key"],
  ])("that cannot sign for an App is refused without being shown (%#)", (pem, problem) => {
    expect(describePemProblem(pem)).toBe(problem);
    try {
      createPemSigner(new Secret(pem));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "invalid-private-key", message: `the App's private key ${problem}` });
    }
  });
});
