import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { startEcsCredentials, type EcsCredentials } from "../../../src/simulator/ecs-credentials.ts";
import { createFixedClock, FIXED_START_MS, type FixedClock } from "../../support/fixed-clock.ts";

describe("startEcsCredentials()", () => {
  let clock: FixedClock;
  let endpoint: EcsCredentials;
  beforeEach(() => {
    clock = createFixedClock();
    endpoint = startEcsCredentials({ clock });
  });
  afterEach(() => endpoint[Symbol.asyncDispose]());

  test("gives the holder of the token credentials for six hours", async () => {
    const response = await ask();
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      RoleArn: "arn:aws:iam::123456789012:role/bridge",
      AccessKeyId: expect.stringMatching(/^ASIA[0-9A-F]{16}$/),
      SecretAccessKey: expect.stringMatching(/^.{40}$/),
      Token: expect.any(String),
      Expiration: new Date(FIXED_START_MS + 21_600_000).toISOString(),
    });
  });

  test("refuses a wrong token and none, and another path", async () => {
    const statuses = await Promise.all([
      ask("wrong").then(({ status }) => status),
      ask(null).then(({ status }) => status),
      ask(undefined, `${endpoint.url}/elsewhere`).then(({ status }) => status),
    ]);
    expect(statuses).toEqual([401, 401, 404]);
  });

  test("gives the same credentials until half their life is over, and others when told to rotate", async () => {
    const keyId = async (): Promise<string> => ((await (await ask()).json()) as { AccessKeyId: string }).AccessKeyId;
    const first = await keyId();
    clock.advance(10_799_999);
    expect(await keyId()).toBe(first);
    clock.advance(1);
    const second = await keyId();
    endpoint.rotate();
    expect(new Set([first, second, await keyId()]).size).toBe(3);
  });

  test("fails, and answers with garbage, as told", async () => {
    endpoint.behaviour = "fail";
    expect((await ask()).status).toBe(500);
    endpoint.behaviour = "garbage";
    const garbage = await ask();
    expect([garbage.status, await garbage.text()]).toEqual([200, '{"AccessKeyId":7}']);
  });

  test("hangs as told: the request is in the journal and has no status", async () => {
    endpoint.behaviour = "hang";
    const caller = new AbortController();
    const asking = ask(undefined, undefined, caller.signal).catch(() => "gave up");
    while (endpoint.journal.entries().length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(endpoint.journal.entries()[0]).not.toHaveProperty("status");
    caller.abort();
    expect(await asking).toBe("gave up");
  });

  test("the journal tells who asked, and never the token", async () => {
    await ask();
    await ask("wrong");
    await ask(null);
    const entries = endpoint.journal.entries();
    expect(entries.map(({ authorization, status }) => [authorization, status])).toEqual([
      ["container-token", 200],
      ["unknown", 401],
      ["none", 401],
    ]);
    expect(JSON.stringify(entries)).not.toContain(endpoint.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]!);
  });

  function ask(token: string | null = tokenOf(endpoint), url?: string, signal?: AbortSignal): Promise<Response> {
    return fetch(url ?? endpoint.environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]!, {
      headers: token === null ? {} : { authorization: token },
      ...(signal === undefined ? {} : { signal }),
    });
  }
});

function tokenOf(endpoint: EcsCredentials): string {
  return endpoint.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]!;
}
