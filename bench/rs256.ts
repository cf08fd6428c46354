/**
 * What it costs to verify one RS256 token, by every way this runtime has, and to recognize one that was verified before.
 * Wall time tells the delay, processor time the load: with one core (`taskset -c 0 bun bench/rs256.ts`) they are the same.
 */
import { createHash, generateKeyPairSync, hash, sign, verify } from "node:crypto";
import { promisify } from "node:util";
import { jwtVerify } from "jose";
import { systemClock } from "../src/lib/clock.ts";
import { createStaticKeySource } from "../src/oidc/static-key-source.ts";
import { createVerifier } from "../src/oidc/verifier.ts";
import { FORGOTTEN_AFTER } from "./load/remembered.ts";

const ROUNDS = 20_000;
const ISSUER = "https://issuer.example";
const AUDIENCE = "app-token-issuer";
const RS256 = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const { n = "", e = "" } = publicKey.export({ format: "jwk" });
const webKey = await crypto.subtle.importKey("jwk", { kty: "RSA", n, e }, RS256, false, ["verify"]);
const verifyAsync = promisify<string, Uint8Array, typeof publicKey, Uint8Array, boolean>(verify);

const keySource = createStaticKeySource(JSON.stringify({ keys: [{ kty: "RSA", n, e, kid: "1" }] }));
const verifier = createVerifier({
  introduce: (identity) => identity,
  issuer: ISSUER,
  audience: AUDIENCE,
  organizationSlug: "acme",
  keySource,
  clock: systemClock,
});
const known = makeToken(0);
const fresh = Array.from({ length: FORGOTTEN_AFTER }, (_, build) => makeToken(build));
const [header = "", payload = "", encodedSignature = ""] = known.split(".");
const input = Buffer.from(`${header}.${payload}`);
const signature = new Uint8Array(Buffer.from(encodedSignature, "base64url"));
let turn = 0;

const ways: Readonly<Record<string, () => unknown>> = {
  "signature, WebCrypto": () => crypto.subtle.verify(RS256.name, webKey, signature, input),
  "signature, node:crypto sync": () => verify("RSA-SHA256", input, publicKey, signature),
  "signature, node:crypto async": () => verifyAsync("RSA-SHA256", input, publicKey, signature),
  "whole token, jose's jwtVerify": () =>
    jwtVerify(nextFresh(), webKey, { issuer: ISSUER, audience: AUDIENCE, algorithms: ["RS256"] }),
  "whole token, our verifier": () => verifier.verify(nextFresh()),
  "remembered token, our verifier": () => verifier.verify(known),
  "hash, node:crypto one-shot": () => hash("sha256", known, "base64"),
  "hash, node:crypto createHash": () => createHash("sha256").update(known).digest("base64"),
  "hash, Bun.CryptoHasher": () => new Bun.CryptoHasher("sha256").update(known).digest("base64"),
};

console.log(`Bun ${Bun.version}, RSA 2048, token of ${known.length} bytes; µs for one, wall / processor`);
for (const [name, run] of Object.entries(ways)) {
  await measure(run, 1, 2000);
  const figures = [await measure(run, 1), await measure(run, 32)];
  console.log(`${name.padEnd(32)} ${figures.map((figure, at) => `c${at === 0 ? 1 : 32}: ${figure}`).join("   ")}`);
}

function nextFresh(): string {
  return fresh[turn++ % fresh.length] ?? known;
}

async function measure(run: () => unknown, concurrency: number, rounds = ROUNDS): Promise<string> {
  let left = rounds;
  const usageBefore = process.cpuUsage();
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) {
        const result = run();
        if (result instanceof Promise) await result;
      }
    }),
  );
  const wall = ((performance.now() - startMs) * 1000) / rounds;
  const { user, system } = process.cpuUsage(usageBefore);
  return `${wall.toFixed(1)} / ${((user + system) / rounds).toFixed(1)}`.padEnd(14);
}

function makeToken(build: number): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER,
    sub: "organization:acme:pipeline:widget:ref:refs/heads/main:commit:0a1b2c3d4e5f60718293a4b5c6d7e8f901234567:step:build",
    aud: AUDIENCE,
    iat: now,
    nbf: now,
    exp: now + 3600,
    organization_slug: "acme",
    pipeline_slug: "widget",
    pipeline_id: "0180aaaa-0000-4000-8000-000000000002",
    build_number: build,
    build_branch: "main",
    build_commit: "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    step_key: "build",
    job_id: "0180aaaa-0000-4000-8000-000000000003",
    agent_id: "0180aaaa-0000-4000-8000-000000000004",
    cluster_id: "0180aaaa-0000-4000-8000-000000000005",
    queue_key: "default",
  };
  const signingInput = [{ alg: "RS256", kid: "1" }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signingInput}.${sign("RSA-SHA256", Buffer.from(signingInput), privateKey).toString("base64url")}`;
}
