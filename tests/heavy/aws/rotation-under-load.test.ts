import { KMS } from "@aws-sdk/client-kms";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator } from "../../support/emulators.ts";
import { createLaters, type Later } from "../../support/later/later.ts";
import { BINARY, runProgram } from "../../support/program.ts";
import { addLoadPipelines, checkLoad, countSaid, LOAD_VARIABLES, sendRequests } from "../../support/request-load.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { recordDeletions } from "../../support/valkey/deletions.ts";
import { installRealServers, startRealServer } from "../../support/valkey/real-server.ts";
import { valkeyVariables } from "../../support/valkey/service-access.ts";
import { startFleet, type TestWorld } from "../../support/world.ts";

const MINUTE = 60;
const authority = createCertificateAuthority();
const certificate = authority.issue("rotation", ["localhost"]);
const credentials = { accessKeyId: "task", secretAccessKey: "s" };

/**
 * The binary twice, with its keyset in Secrets Manager under a KMS key, and a real Valkey. The instances' timers are moved on by the
 * quarters of an hour in which they read the keyset again; the operator's command is told to take each step when those have passed.
 */
describe("a rotation under load, of instances that lag each other by a refresh", () => {
  let emulator: Emulator;
  let kms: KMS;
  let secrets: SecretsManager;

  beforeAll(async () => {
    installRealServers();
    emulator = await startEmulator("moto");
    const settings = { region: "us-east-1", endpoint: emulator.url, credentials };
    kms = new KMS(settings);
    secrets = new SecretsManager(settings);
  }, INSTALL_TIMEOUT_MS);
  afterAll(async () => {
    kms.destroy();
    secrets.destroy();
    await emulator[Symbol.asyncDispose]();
  });

  async function createPlace(): Promise<Record<string, string>> {
    const name = `/chinmina-bridge/${crypto.randomUUID()}/tink-keyset`;
    await secrets.createSecret({ Name: name });
    const { KeyMetadata } = await kms.createKey({});
    return {
      AWS_ENDPOINT_URL: emulator.url,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      CACHE_ENCRYPTION_ENABLED: "true",
      CACHE_ENCRYPTION_KEYSET_URI: `aws-secretsmanager://${name}`,
      CACHE_ENCRYPTION_KMS_ENVELOPE_KEY_URI: `aws-kms://${KeyMetadata?.Arn}`,
    };
  }

  async function keyset(place: Record<string, string>, ...argv: readonly string[]): Promise<any> {
    const { code, out, err } = await runProgram([BINARY], ["keyset", ...argv, "--format", "json"], {
      environment: place,
    });
    expect({ argv, code, err }).toEqual({ argv, code: 0, err: "" });
    return JSON.parse(out);
  }

  async function startScene() {
    await using started = new AsyncDisposableStack();
    const place = await createPlace();
    await keyset(place, "create");
    const server = started.use(await startRealServer({ engine: "valkey", authority, certificate }));
    const { laters } = started.use(createLaters(2));
    const variables = { ...valkeyVariables(server, authority), ...place, ...LOAD_VARIABLES };
    const environmentOf = (index: number) => laters[index]?.variables ?? {};
    const options = { form: "binary", prepare: addLoadPipelines, environmentOf } as const;
    const fleet = started.use(await startFleet(2, variables, options));
    const deletions = started.use(await recordDeletions(authority, server.port));
    const [[early, earlyLater], [late, lateLater]] = fleet.worlds.map((world, at) => [world, laters[at]]) as [
      [TestWorld, Later],
      [TestWorld, Later],
    ];
    const draining = new Set<TestWorld>();
    let reach = 10;

    /** One instance reads the keyset again, and goes on with what it finds; nothing is under way in it when its time jumps. */
    const refresh = async (world: TestWorld, later: Later): Promise<void> => {
      const known = countSaid(world, "keyset in force");
      draining.add(world);
      await Bun.sleep(200);
      later.advance(15 * MINUTE);
      while (countSaid(world, "keyset in force") === known) {
        await fetch(`${world.bridge.url}/healthcheck`);
        await Bun.sleep(50);
      }
      draining.delete(world);
    };
    /** Both instances serve what they have and make what is asked for the first time. */
    const serve = async (): Promise<void> => {
      reach += 6;
      await Bun.sleep(2_000);
    };
    const stack = started.move();
    return {
      place,
      server,
      fleet,
      deletions,
      serve,
      /** First one instance alone has the keyset of the moment, then both. */
      refreshBoth: async () => {
        await refresh(early, earlyLater);
        await serve();
        await refresh(late, lateLater);
        await serve();
      },
      load: (during: () => Promise<void>) =>
        sendRequests(fleet, 8, during, { isUp: (world) => !draining.has(world), reach: () => reach }),
      entries: () =>
        server
          .admin("--raw", "keys", "enc:*")
          .split("\n")
          .filter((key) => !key.endsWith(":claim")),
      unused: () => fleet.worlds.flatMap(({ bridge }) => bridge.lines.filter((line) => line["why"] !== undefined)),
      reached: () => reach,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  }

  test("step by step: no request fails, no entry is lost, and none is ever found that cannot be opened", async () => {
    await using scene = await startScene();
    const { place, server, deletions, serve } = scene;
    const before = await keyset(place, "list");
    const load = await scene.load(async () => {
      await serve();
      expect(await keyset(place, "rotate")).toMatchObject({ is: "added" });
      await scene.refreshBoth();
      expect(await keyset(place, "rotate", "--now")).toMatchObject({ is: "promoted" });
      await scene.refreshBoth();
      // The hour in which what the old key sealed comes to its end.
      for (const key of scene.entries()) server.admin("pexpire", key, "1");
      await serve();
      expect(await keyset(place, "rotate", "--now")).toMatchObject({ is: "settled", finished: true });
      await scene.refreshBoth();
    });
    checkLoad("rotation under load", load);
    const after = await keyset(place, "list");
    expect(after.keys.map((key: any) => key.status)).toEqual(["DISABLED", "ENABLED"]);
    expect(after.primaryKeyId).not.toBe(before.primaryKeyId);
    console.log(`entries destroyed: ${deletions.entries.length}, not of use: ${scene.unused().length}`);
    expect(deletions.entries).toEqual([]);
    expect(deletions.claims.length).toBeGreaterThan(10);
    expect(scene.unused()).toEqual([]);
  }, 120_000);

  // Where a rotation is rushed, instances meet entries under keys that they do not have yet. Those are somebody else's.
  test("rushed: entries that an instance cannot open yet cost GitHub a call, and are left where they are", async () => {
    await using scene = await startScene();
    const { place, deletions, serve } = scene;
    const load = await scene.load(async () => {
      await serve();
      await keyset(place, "rotate", "--compromised", "--yes");
      await scene.refreshBoth();
    });
    checkLoad("rushed rotation under load", load);
    console.log(`entries destroyed: ${deletions.entries.length}, not of use: ${scene.unused().length}`);
    expect(deletions.entries).toEqual([]);
    expect(deletions.claims.length).toBeGreaterThan(10);
    expect(new Set(scene.unused().map(({ why }) => why))).toEqual(new Set(["not-decryptable"]));
    expect(scene.entries().length).toBeGreaterThanOrEqual(scene.reached());
  }, 120_000);
});
