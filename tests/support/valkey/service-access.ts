import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRandom } from "../../../src/lib/random.ts";
import { createKeyset } from "../../../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import { writeCleartextKeyset } from "../../../src/tink/keyset-json.ts";
import type { CertificateAuthority } from "./certificates.ts";
import { APP_PASSWORD, APP_USER, type RealServer } from "./real-server.ts";

/** The variables with which a service uses this server, as operators set them: TLS, a user who may do what is documented and no more. */
export function valkeyVariables(server: Pick<RealServer, "port">, authority: CertificateAuthority) {
  return {
    CACHE_TYPE: "valkey",
    VALKEY_ADDRESS: `localhost:${server.port}`,
    VALKEY_TLS_CA_FILE: authority.caFile,
    VALKEY_USERNAME: APP_USER,
    VALKEY_PASSWORD: APP_PASSWORD,
  };
}

/** A keyset file, gone when disposed of. */
export function writeKeysetFile(): Disposable & { readonly path: string; readonly variables: Record<string, string> } {
  const folder = mkdtempSync(join(tmpdir(), "keyset-"));
  const path = join(folder, "keyset.json");
  writeFileSync(path, writeCleartextKeyset(createKeyset(findTemplate(DEFAULT_TEMPLATE), systemRandom)), {
    mode: 0o600,
  });
  return {
    path,
    variables: { CACHE_ENCRYPTION_ENABLED: "true", CACHE_ENCRYPTION_KEYSET_FILE: path },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
