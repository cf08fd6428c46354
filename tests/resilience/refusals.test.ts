import { describe, expect, test } from "bun:test";
import { startVirtualService, type Fault, type Service, type VirtualService } from "../support/virtual-service.ts";

/** Past half of a token's life. */
const DUE_MS = 23 * 60_000;

const statuses = (from: number, to: number, ...but: readonly number[]): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_none, index) => from + index).filter((status) => !but.includes(status));
const REFUSALS: readonly (readonly [Service, number, number])[] = [
  ["tokens", 403, 403],
  ["buildkite", 500, 500],
];
const OUTAGES: readonly Fault[] = [
  "refuse",
  "hang",
  ...statuses(500, 599),
  429,
  { status: 429, headers: { "retry-after": "30" } },
];
const LIMITS: readonly Fault[] = [
  { status: 403, headers: { "retry-after": "30" } },
  { status: 403, headers: { "x-ratelimit-remaining": "0" } },
  { status: 403, message: "You have exceeded a secondary rate limit." },
];

/** A token that is due to be renewed, and what is wrong with one of those who would have to be asked. */
async function renewUnder(
  service: VirtualService,
  pipeline: string,
  faults: VirtualService["faults"],
): Promise<string> {
  service.faults = {};
  const { json } = await service.ask(pipeline);
  await service.clock.advanceAndSettle(DUE_MS);
  service.faults = faults;
  const held = await service.ask(pipeline);
  expect([held.status, held.json.token]).toEqual([200, json.token]);
  // The renewal that it began, to its end.
  await service.clock.advanceAndSettle(12_000);
  return json.token;
}

describe("a refusal while a token is renewed ends it: the next request is refused too", () => {
  for (const [name, publicStatus] of REFUSALS) {
    test(`for every such status of ${name}`, async () => {
      await using service = await startVirtualService();
      for (const status of statuses(400, 499, 429)) {
        const pipeline = `refused-${status}`;
        await renewUnder(service, pipeline, { [name]: status });
        expect([status, (await service.ask(pipeline)).status]).toEqual([status, publicStatus]);
        // Nor does it come back when nobody can be asked any more.
        service.faults = { [name]: "refuse" };
        await service.clock.advanceAndSettle(31_000);
        expect([status, (await service.ask(pipeline)).status]).toEqual([status, 503]);
      }
    }, 60_000);
  }

  test("for a pipeline that another one has taken the place of", async () => {
    await using service = await startVirtualService();
    const pipeline = "replaced";
    const { json } = await service.ask(pipeline);
    expect(json.token).toBeString();
    await service.clock.advanceAndSettle(DUE_MS);
    service.pipelineIds.set(pipeline, "another-id");
    expect((await service.ask(pipeline)).status).toBe(200);
    await service.clock.advanceAndSettle(1_000);
    expect((await service.ask(pipeline)).status).toBe(403);
  });

  test("for KMS that refuses to sign", async () => {
    await using service = await startVirtualService();
    await renewUnder(service, "unsigned", { kms: 400 });
    expect((await service.ask("unsigned")).status).toBe(500);
  });
});

describe("an outage while a token is renewed leaves it as it is", () => {
  test.each<readonly [Service, readonly Fault[]]>([
    ["tokens", [...OUTAGES, ...LIMITS]],
    ["buildkite", OUTAGES],
    ["kms", ["refuse", "hang", 500, 503, 429]],
  ])(
    "for everything of %s that is one",
    async (name, faults) => {
      await using service = await startVirtualService();
      for (const [index, fault] of faults.entries()) {
        const pipeline = `kept-${index}`;
        // Past whatever limit the one before had set.
        await service.clock.advanceAndSettle(3_600_000);
        const token = await renewUnder(service, pipeline, { [name]: fault });
        const again = await service.ask(pipeline);
        expect([fault, again.status, again.json.token]).toEqual([fault, 200, token]);
      }
    },
    60_000,
  );
});

test("renewal runs for the policy in force alone", async () => {
  await using service = await startVirtualService();
  await service.ask("widget");
  await service.clock.advanceAndSettle(DUE_MS);
  service.policy = "pipeline: {defaults: {permissions: ['contents:read', 'issues:read']}}\n";
  await service.refreshPolicy();
  const before = service.calls.tokens;
  expect((await service.ask("widget")).json.permissions).toContain("issues:read");
  await service.clock.advanceAndSettle(10_000);
  expect(service.calls.tokens).toBe(before + 1);
});
