import { afterAll, beforeAll, expect, test } from "bun:test";
import { createConnection, createServer, type Server } from "node:net";
import { startSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import { startBridge } from "../support/bridge.ts";
import { createCertificateAuthority } from "../support/valkey/certificates.ts";

/** GitHub as a company has it: behind a proxy, at a name that only the proxy knows, with a certificate of the company's authority. */
const NAME = "github.internal.test";
let simulator: Simulator;
let proxy: Server;
let gitHub: Bun.Server<undefined>;
const tunnels: string[] = [];
const authority = createCertificateAuthority();

beforeAll(async () => {
  process.env["BRIDGE_UNDER_TEST"] = "binary";
  simulator = await startSimulator();
  const { cert, key } = authority.issue("github", [NAME]);
  gitHub = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    tls: { cert, key },
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.arrayBuffer();
      return fetch(simulator.github.url + pathname + search, {
        method: request.method,
        headers: request.headers,
        ...(body.byteLength > 0 ? { body } : {}),
      });
    },
  });
  proxy = createServer((client) => {
    client.once("data", (head) => {
      tunnels.push(/^CONNECT (\S+)/.exec(head.toString())?.[1] ?? head.toString().split("\n")[0] ?? "");
      const upstream = createConnection(gitHub.port ?? 0, "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
      client.pipe(upstream).pipe(client);
      upstream.on("error", () => client.destroy());
    });
    client.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  proxy.close();
  await gitHub.stop(true);
  await simulator[Symbol.asyncDispose]();
});

function environment(more: Record<string, string>): Record<string, string> {
  const { GITHUB_ORG_PROFILE: _, ...rest } = simulator.environment();
  const address = proxy.address();
  const port = typeof address === "object" ? address?.port : 0;
  return {
    ...rest,
    GITHUB_API_URL: `https://${NAME}`,
    GITHUB_URL: "https://github.com",
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
    ...more,
  };
}
const ask = (url: string) =>
  fetch(`${url}/token`, { method: "POST", headers: { authorization: `Bearer ${simulator.oidc.issueToken()}` } });

test("GitHub is reached through HTTPS_PROXY, with an authority of NODE_EXTRA_CA_CERTS; loopback never goes through it", async () => {
  await using bridge = await startBridge(
    environment({ NODE_EXTRA_CA_CERTS: authority.caFile, HTTP_PROXY: "http://127.0.0.1:1" }),
  );
  expect((await ask(bridge.url)).status).toBe(200);
  expect(new Set(tunnels)).toEqual(new Set([`${NAME}:443`]));
});

test("without that authority the certificate is refused, whatever else is trusted", async () => {
  await using bridge = await startBridge(environment({}));
  expect((await ask(bridge.url)).status).toBe(503);
  const entry = await bridge.waitFor((line) => line["type"] === "audit");
  expect(entry["error"]).toContain("network failure");
});

test("a certificate of another name is refused", async () => {
  await using bridge = await startBridge(
    environment({ NODE_EXTRA_CA_CERTS: authority.caFile, GITHUB_API_URL: "https://other.internal.test" }),
  );
  expect((await ask(bridge.url)).status).toBe(503);
});

test("NO_PROXY is honoured", async () => {
  const before = tunnels.length;
  await using bridge = await startBridge(environment({ NODE_EXTRA_CA_CERTS: authority.caFile, NO_PROXY: NAME }));
  expect((await ask(bridge.url)).status).toBe(503);
  expect(tunnels.length).toBe(before);
}, 30_000);
