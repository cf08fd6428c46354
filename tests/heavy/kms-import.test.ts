import { createHash, createPrivateKey, generateKeyPairSync } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * In the place of `aws`: gives a wrapping key, and unwraps what is imported as KMS does (OAEP with SHA-256, then AES key wrap with padding),
 * with node's OpenSSL and none of the documented commands.
 */
const FAKE_AWS = `
const { createDecipheriv, constants, createPublicKey, privateDecrypt } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const value = (name) => process.argv[process.argv.indexOf(name) + 1];
const file = (name) => readFileSync(value(name).replace("fileb://", ""));
if (value("--key-id") !== "the-key") throw new Error("another key");
const key = readFileSync(process.env.WRAPPING_KEY, "utf8");
if (process.argv[3] === "get-parameters-for-import") {
  if (value("--wrapping-algorithm") !== "RSA_AES_KEY_WRAP_SHA_256" || value("--wrapping-key-spec") !== "RSA_4096") throw new Error("another wrapping");
  const der = createPublicKey(key).export({ type: "spki", format: "der" }).toString("base64");
  console.log(der + "\\t" + Buffer.from("import-token").toString("base64"));
} else if (process.argv[3] === "import-key-material") {
  if (file("--import-token").toString() !== "import-token") throw new Error("another token");
  const material = file("--encrypted-key-material");
  const aes = privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" }, material.subarray(0, 512));
  const cipher = createDecipheriv("id-aes256-wrap-pad", aes, Buffer.from("A65959A6", "hex"));
  writeFileSync(process.env.IMPORTED, Buffer.concat([cipher.update(material.subarray(512)), cipher.final()]));
} else throw new Error("another command");
`;

describe("the commands of docs/kms.md that import the App's key", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kms-import-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("give KMS the very key of GitHub's file, and leave no clear copy behind but that file", async () => {
    const page = await Bun.file(join(import.meta.dir, "../../docs/kms.md")).text();
    const commands = /<!-- test: import -->\s+```sh\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    const app = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const wrapping = generateKeyPairSync("rsa", { modulusLength: 4096 }).privateKey;
    const programs = join(folder, "programs");
    const work = join(folder, "work");
    const imported = join(folder, "imported.der");
    for (const path of [programs, work]) Bun.spawnSync(["mkdir", path]);
    writeFileSync(join(folder, "wrapping.pem"), wrapping.export({ type: "pkcs8", format: "pem" }));
    writeFileSync(join(work, "app.private-key.pem"), app.export({ type: "pkcs1", format: "pem" }));
    writeFileSync(join(folder, "aws.cjs"), FAKE_AWS);
    writeFileSync(join(programs, "aws"), `#!/bin/sh\nexec node "${join(folder, "aws.cjs")}" "$@"\n`);
    chmodSync(join(programs, "aws"), 0o755);
    const run = Bun.spawnSync(["sh", "-c", commands], {
      cwd: work,
      env: {
        PATH: `${programs}:${process.env["PATH"]}`,
        KEY_ID: "the-key",
        WRAPPING_KEY: join(folder, "wrapping.pem"),
        IMPORTED: imported,
      },
    });
    expect({ exitCode: run.exitCode, stderr: run.stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
    const key = createPrivateKey({
      key: Buffer.from(await Bun.file(imported).arrayBuffer()),
      format: "der",
      type: "pkcs8",
    });
    expect(fingerprint(key.export({ type: "pkcs8", format: "der" }))).toBe(
      fingerprint(app.export({ type: "pkcs8", format: "der" })),
    );
    expect(readdirSync(work).sort()).toEqual([
      "app.private-key.pem",
      "material.bin",
      "token.bin",
      "wrapped-aes.bin",
      "wrapped-key.bin",
      "wrapping.der",
    ]);
  });
});

function fingerprint(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
