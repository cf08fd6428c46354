import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { type MemoryServer, startMemoryServer } from "../../support/valkey/memory-server.ts";
import { rejectToken } from "../../support/valkey/sigv4-verifier.ts";
import vectors from "../../vectors/iamcacheauth/vectors.json";

const ROOT = resolve(import.meta.dir, "../../..");
const README = readFileSync(join(ROOT, "src/iamcacheauth/README.md"), "utf8");
const CLIENTS = ["iovalkey", "redis", "@valkey/valkey-glide"];
const KEYS = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const vector = vectors.find(({ Name }) => Name === "upstream-test-inputs serverless");

/** A project of a user of the library: it has the packed library installed, and the clients of the examples. */
const project = mkdtempSync(join(tmpdir(), "iamcacheauth-"));
let tarball = "";

beforeAll(async () => {
  const built = join(project, "built");
  await run(["bun", join(ROOT, "scripts/build-iamcacheauth.ts"), built]);
  const packed = await run(["npm", "pack", "--json", "--pack-destination", project], built);
  tarball = (JSON.parse(packed) as [{ filename: string }])[0].filename;
  const manifest = { type: "module", dependencies: { iamcacheauth: `file:./${tarball}` } };
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  await run(["bun", "install", "--prefer-offline", "--linker", "hoisted"]);
  mkdirSync(join(project, "node_modules/@valkey"), { recursive: true });
  for (const client of CLIENTS) symlinkSync(join(ROOT, "node_modules", client), join(project, "node_modules", client));
  writeCredentialStandIn();
}, 120_000);

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the package", () => {
  test("holds JavaScript, types, README and licence, and nothing else", async () => {
    const files = (await run(["tar", "-tzf", tarball])).trim().split("\n").sort();
    const modules = ["credentials", "errors", "index", "names", "sha256", "tokens"];
    const code = modules.flatMap((name) => [`package/${name}.d.ts`, `package/${name}.js`]);
    expect(files).toEqual([...code, "package/LICENSE", "package/README.md", "package/package.json"].sort());
  });

  test("needs the signer and nothing else, under MIT", () => {
    const manifest = JSON.parse(readFileSync(join(project, "node_modules/iamcacheauth/package.json"), "utf8"));
    const root = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const signer = "@smithy/signature-v4";
    expect(manifest.license).toBe("MIT");
    expect(manifest.dependencies).toEqual({ [signer]: `^${root.dependencies[signer]}` });
  });

  test.each([
    ["Node.js", ["node"]],
    ["Bun", ["bun", "run"]],
    ["Deno", [join(ROOT, "node_modules/.bin/deno"), "run", "--allow-all", "--node-modules-dir=manual"]],
  ])(
    "makes a vector's token on %s",
    async (_runtime, command) => {
      const script = `
      import { elastiCacheTokens, IamCacheAuthOptionError } from "iamcacheauth";
      const v = ${JSON.stringify(vector)};
      const credentials = async () => ({ accessKeyId: v.AccessKeyID, secretAccessKey: v.SecretAccessKey, sessionToken: v.SessionToken });
      const tokens = elastiCacheTokens({ userId: v.User, cacheName: v.Cache, region: v.Region, serverless: true, credentials, clock: () => new Date(v.Date) });
      console.log(await tokens.token({ signal: AbortSignal.timeout(5000) }));
      try { elastiCacheTokens({}) } catch (e) { console.log(e instanceof IamCacheAuthOptionError, e.code) }`;
      writeFileSync(join(project, "vector.mjs"), script);
      const output = await run([...command, "vector.mjs"]);
      expect(output.trim()).toBe(`${vector?.Token}\ntrue illegal-cache-name`);
    },
    60_000,
  );

  test("has types that a strict compiler resolves and an SDK-like provider satisfies", async () => {
    const script = `
      import { elastiCacheTokens, memoryDBTokens, type TokenSource } from "iamcacheauth";
      declare const provider: (properties?: Record<string, unknown>) => Promise<{ readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string; readonly expiration?: Date }>;
      const options = { userId: "u", region: "us-east-1", credentials: provider };
      export const tokens: TokenSource[] = [elastiCacheTokens({ ...options, cacheName: "c", serverless: true }), memoryDBTokens({ ...options, clusterName: "c" })];
      // @ts-expect-error MemoryDB has no serverless caches
      memoryDBTokens({ ...options, clusterName: "c", serverless: true });`;
    writeFileSync(join(project, "types.ts"), script);
    const flags = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--lib",
      "es2022,dom",
      "--types",
      "",
    ];
    expect(await run([join(ROOT, "node_modules/.bin/tsc"), "--ignoreConfig", ...flags, "types.ts"])).toBe("");
  }, 60_000);
});

describe("the README's examples", () => {
  const authority = createCertificateAuthority();
  const certificate = authority.issue("front", ["localhost"]);
  let front: MemoryServer;

  beforeAll(async () => {
    const expected = {
      ...KEYS,
      service: "elasticache",
      region: "us-east-1",
      cacheName: "my-cache",
      serverless: false,
    } as const;
    const authenticate = (user: string, password: string) => rejectToken(user, password, expected);
    front = await startMemoryServer({ tls: certificate, authenticate });
  });
  afterAll(() => front[Symbol.asyncDispose]());

  test.each([
    ["Bun's client", "bun"],
    ["iovalkey", "bun"],
    ["iovalkey", "node"],
    ["node-redis", "bun"],
    ["node-redis", "node"],
    ["Valkey GLIDE", "bun"],
    ["Valkey GLIDE", "node"],
  ])(
    "%s on %s stores, reads, renews, and comes back with a new token",
    async (title, runtime) => {
      front.entries.clear();
      front.accepted.length = 0;
      front.rejected.length = 0;
      const file = join(project, "example.mjs");
      writeFileSync(file, exampleScript(title, front.port));
      const environment = { ...process.env, NODE_EXTRA_CA_CERTS: authority.caFile, SSL_CERT_FILE: authority.caFile };
      const child = Bun.spawn([runtime, file], {
        cwd: project,
        env: environment,
        stdin: "pipe",
        stdout: "pipe",
        stderr: "pipe",
      });
      const lines = readLines(child.stdout);
      const errors = new Response(child.stderr).text();
      expect((await nextOwn(lines)) ?? (await errors)).toBe("stored value");
      expect(front.entries.get("key")?.value.toString()).toBe("value");
      const before = new Set(front.accepted);
      front.cutAll();
      await child.stdin.write("cut\n");
      await child.stdin.end();
      expect((await nextOwn(lines)) ?? (await errors)).toBe("read value again");
      expect(await child.exited).toBe(0);
      expect(front.rejected).toEqual([]);
      expect(front.accepted.filter((token) => !before.has(token))).not.toEqual([]);
    },
    60_000,
  );
});

test("the front that judges the examples refuses other users, keys, services, caches and times", async () => {
  const { elastiCacheTokens, memoryDBTokens } = await import("../../../src/iamcacheauth/index.ts");
  const expected = {
    ...KEYS,
    service: "elasticache",
    region: "us-east-1",
    cacheName: "my-cache",
    serverless: false,
  } as const;
  const options = {
    userId: "my-iam-user",
    cacheName: "my-cache",
    region: "us-east-1",
    credentials: () => Promise.resolve(KEYS),
  };
  const verdict = async (token: Promise<string>) => rejectToken("my-iam-user", await token, expected);
  const ago = (minutes: number) => () => new Date(Date.now() - minutes * 60_000);
  expect(await verdict(elastiCacheTokens(options).token())).toBeUndefined();
  expect(await verdict(elastiCacheTokens({ ...options, clock: ago(14) }).token())).toBeUndefined();
  expect(await verdict(elastiCacheTokens({ ...options, clock: ago(16) }).token())).toBe("expired");
  expect(await verdict(elastiCacheTokens({ ...options, userId: "other" }).token())).toBe("another user");
  expect(await verdict(elastiCacheTokens({ ...options, cacheName: "other" }).token())).toBe("another cache");
  expect(await verdict(elastiCacheTokens({ ...options, serverless: true }).token())).toBe("another resource type");
  expect(await verdict(elastiCacheTokens({ ...options, region: "eu-west-1" }).token())).toContain("region");
  expect(await verdict(memoryDBTokens({ ...options, clusterName: "my-cache" }).token())).toContain("service");
  const forged = () => Promise.resolve({ ...KEYS, secretAccessKey: "guess" });
  expect(await verdict(elastiCacheTokens({ ...options, credentials: forged }).token())).toBe("a wrong signature");
});

/** The example at the top and the client's own, as they stand, with the endpoint changed and time run faster. */
function exampleScript(title: string, port: number): string {
  const [setup = "", example = ""] = [README, README.split(`\n### ${title}\n`)[1] ?? ""].map(firstTypeScriptBlock);
  const scaled = `${setup}${example}`
    .replaceAll("my-cache.xxxxxx.use1.cache.amazonaws.com", "localhost")
    .replaceAll("6379", String(port))
    .replaceAll("11 * 3_600_000", "300")
    .replaceAll("5 * 60_000", "100");
  const trusting = scaled.replace(
    "useTLS: true,",
    "useTLS: true, advancedConfiguration: { tlsAdvancedConfiguration: { rootCertificates: readFileSync(process.env.NODE_EXTRA_CA_CERTS) } },",
  );
  return `import { readFileSync } from "node:fs";
    import { setTimeout as pause } from "node:timers/promises";
    ${trusting}
    await client.set("key", "value");
    console.log("stored " + (await client.get("key")));
    for await (const _line of process.stdin) break;
    for (let answer; ; await pause(50)) {
      answer = await Promise.race([client.get("key").catch(() => undefined), pause(1000)]);
      if (answer === "value") break;
    }
    await pause(700); // long enough for a renewal
    console.log("read " + (await client.get("key")) + " again");
    process.exit(0);`;
}

function firstTypeScriptBlock(markdown: string): string {
  return /```ts\n([\s\S]*?)```/.exec(markdown)?.[1] ?? "throw new Error('the README has no such example');";
}

/** Each call gives another session, so that each token can be told from the one before, signed within one second. */
function writeCredentialStandIn(): void {
  const folder = join(project, "node_modules/@aws-sdk/credential-providers");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "stand-in", type: "module", main: "index.js" }));
  const code = `let n = 0; export const fromNodeProviderChain = () => async () => ({ ...${JSON.stringify(KEYS)}, sessionToken: "session/" + n++ });`;
  writeFileSync(join(folder, "index.js"), code);
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let pending = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    const lines = `${pending}${chunk}`.split("\n");
    pending = lines.pop() ?? "";
    yield* lines;
  }
}

async function run(command: readonly string[], cwd = project): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "pipe" });
  const [output, errors, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${command.join(" ")}: ${errors}${output}`);
  return output;
}

/** The next line of the example itself: GLIDE's own logger writes to standard output too. */
async function nextOwn(lines: AsyncIterator<string>): Promise<string | undefined> {
  for (;;) {
    const line = await lines.next();
    if (line.done === true) return undefined;
    if (!line.value.includes("logger_core")) return line.value;
  }
}
