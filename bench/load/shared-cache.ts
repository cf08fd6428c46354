import { createCertificateAuthority } from "../../tests/support/valkey/certificates.ts";
import { APP_USER, installRealServers, startRealServer } from "../../tests/support/valkey/real-server.ts";
import { valkeyVariables, writeKeysetFile } from "../../tests/support/valkey/service-access.ts";
import type { Contender, Environment } from "./contender.ts";

/** A real Valkey as production has it: TLS, a user who may do what is documented, and entries that are sealed. */
export interface SharedCache extends AsyncDisposable {
  /** What an instance needs to use it. */
  readonly environment: Environment;
  /** How many connections instances have to it. */
  readonly clients: () => number;
}

export async function startSharedCache(): Promise<SharedCache> {
  installRealServers();
  const authority = createCertificateAuthority();
  const certificate = authority.issue("bench", ["localhost"]);
  await using started = new AsyncDisposableStack();
  const server = started.use(await startRealServer({ engine: "valkey", authority, certificate }));
  const keyset = started.use(writeKeysetFile());
  const environment = { ...valkeyVariables(server, authority), ...keyset.variables, CACHE_TOKEN_TTL_SECS: "3300" };
  const stack = started.move();
  const clients = (): number => server.admin("client", "list").split(`user=${APP_USER} `).length - 1;
  return { environment, clients, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const READY_MS = 10_000;

/** Resolves when the instance uses Valkey. Needs a contender whose lines are all kept. */
export async function untilInUse({ name, lines }: Contender): Promise<void> {
  const endMs = performance.now() + READY_MS;
  while (!lines.some((line) => line.includes('"valkey: in use"'))) {
    if (performance.now() > endMs) throw new Error(`${name} does not use Valkey`);
    await Bun.sleep(20);
  }
}
