import { expect, test } from "bun:test";
import { startServer } from "../../../src/http/server.ts";

test.each([
  [
    "throws",
    () => {
      throw new Error("ghs_secret");
    },
  ],
  ["rejects", () => Promise.reject(new Error("ghs_secret"))],
] as const)("a handler that %s against its promise is a 500 that tells nothing of it", async (_how, handle) => {
  await using server = startServer({ port: 0, hostname: "127.0.0.1" }, handle);
  const reply = await fetch(`http://127.0.0.1:${server.port}/token`, { method: "POST" });
  expect(reply.status).toBe(500);
  expect(await reply.text()).not.toContain("secret");
});
