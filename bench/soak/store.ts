import { createCertificateAuthority } from "../../tests/support/valkey/certificates.ts";
import { startMemoryServer } from "../../tests/support/valkey/memory-server.ts";
import { installRealServers, startRealServer } from "../../tests/support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../tests/support/valkey/service-access.ts";
import type { Fault } from "./faults.ts";

/** What the instances share, and what can be wrong with it: never a reason to fail a request. */
export interface SoakStore extends AsyncDisposable {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly faults: readonly Fault[];
}

/** A real Valkey with TLS, a user of its own and sealed entries where it can be had, else a server in this process. */
export async function startStore(): Promise<SoakStore> {
  try {
    installRealServers();
  } catch (error) {
    console.log(`no real Valkey: ${error instanceof Error ? error.message : "unknown"}`);
    return startPretendedStore();
  }
  return startValkey();
}

async function startValkey(): Promise<SoakStore> {
  await using started = new AsyncDisposableStack();
  const authority = createCertificateAuthority();
  const certificate = authority.issue("soak", ["localhost"]);
  const server = started.use(await startRealServer({ engine: "valkey", authority, certificate }));
  const keyset = started.use(writeKeysetFile());
  const stack = started.move();
  return {
    name: "Valkey with TLS, entries sealed",
    environment: { ...valkeyVariables(server, authority), ...keyset.variables },
    faults: [
      { name: "Valkey: hangs", kind: "harmless", begin: server.pause, end: server.resume },
      { name: "Valkey: killed, empty afterwards", kind: "harmless", begin: server.kill, end: server.restart },
    ],
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function startPretendedStore(): Promise<SoakStore> {
  const server = await startMemoryServer();
  return {
    name: "a pretended Valkey",
    environment: { CACHE_TYPE: "valkey", VALKEY_ADDRESS: `127.0.0.1:${server.port}`, VALKEY_TLS: "false" },
    faults: [
      { name: "store: hangs", kind: "harmless", begin: server.pause, end: server.resume },
      { name: "store: connections cut", kind: "harmless", begin: server.cutAll, end: () => undefined },
    ],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
