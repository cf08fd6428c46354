/**
 * What a hit costs in memory and in a real Valkey over TLS, clear and sealed, and whether a million shared hits leave anything behind:
 * ends with status 1 when they leave more than 24 MiB above what 100,000 left.
 *
 *   bun bench/shared-cache.ts           latencies and rates
 *   bun bench/shared-cache.ts --memory  the million (some minutes)
 */
import { createCache } from "../src/cache/create-cache.ts";
import { createClearForm, createSealedForm, type EntryForm } from "../src/cache/entry-form.ts";
import { systemClock } from "../src/lib/clock.ts";
import { systemRandom } from "../src/lib/random.ts";
import { createAead } from "../src/tink/create-aead.ts";
import { createKeyset } from "../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../src/tink/key-templates.ts";
import { createTokenCodec } from "../src/token/token-codec.ts";
import { VendedToken } from "../src/token/vended-token.ts";
import { createCertificateAuthority } from "../tests/support/valkey/certificates.ts";
import { APP_PASSWORD, APP_USER, installRealServers, startRealServer } from "../tests/support/valkey/real-server.ts";
import { openStore } from "../tests/support/valkey/store.ts";

const KEYS = 2_000;
const MIB = 1024 * 1024;
const observer = { operated: () => undefined, ciphered: () => undefined, unused: () => undefined };

installRealServers();
const authority = createCertificateAuthority();
const certificate = authority.issue("bench", ["localhost"]);
await using server = await startRealServer({ engine: "valkey", authority, certificate });
await using opened = openStore(server.port, {
  tls: { extraCa: authority.ca },
  credentials: () => Promise.resolve({ username: APP_USER, password: APP_PASSWORD }),
});
const { store } = opened;
await store.firstStatus();

const aead = createAead(createKeyset(findTemplate(DEFAULT_TEMPLATE), systemRandom));
const clear = createClearForm("");
const sealed = createSealedForm({ keyPrefix: "", currentAead: () => aead, clock: systemClock, observer });

const codec = createTokenCodec({
  description: {
    organizationSlug: "acme",
    profile: "repo:default",
    permissions: ["contents:read", "metadata:read"],
    app: { name: "default", appId: 111, installationId: 222 },
  },
  nowMs: systemClock.nowMs,
  repositoriesOf: () => ({ kind: "names", names: ["widget"] }),
  admit: (_repositories, url) => url,
});
const keyOf = (index: number) => ({
  text: `default-profile:v1:111:222:profile://organization/acme/pipeline/${index % KEYS}/widget/profile/default`,
  callerVaried: false,
});
const source = {
  codec,
  fetch: () => {
    const token = new VendedToken(
      `ghs_${"x".repeat(36)}`,
      systemClock.nowMs() / 1000 + 3600,
      "https://github.com/acme/widget",
    );
    return Promise.resolve({ kind: "value", value: token } as const);
  },
};

/** `localTtlMs` 0: whatever memory holds is read again at once, so every load is a shared one. */
function cacheOver(form: EntryForm, localTtlMs: number) {
  return createCache<VendedToken, never>({
    ttlMs: 2_700_000,
    maxStaleMs: 0,
    random: Math.random,
    capacity: 10_000,
    callerVariedCapacity: 100,
    clock: systemClock,
    observer,
    isOutage: () => true,
    shared: { store, form, localTtlMs, newOwner: () => crypto.randomUUID() },
  });
}

async function fill(form: EntryForm, localTtlMs: number) {
  const cache = cacheOver(form, localTtlMs);
  for (let index = 0; index < KEYS; index++) await cache.load(keyOf(index), source);
  return cache;
}

/** Loads `count` times from so many loops; the time of each in microseconds, ascending. Throws when one is no shared hit. */
async function loadShared(cache: Awaited<ReturnType<typeof fill>>, count: number, loops: number): Promise<number[]> {
  const took: number[] = [];
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) {
      const key = keyOf(next++);
      const startedNs = Bun.nanoseconds();
      const loaded = await cache.load(key, source);
      took.push((Bun.nanoseconds() - startedNs) / 1000);
      if (loaded.kind !== "value" || loaded.source !== "valkey")
        throw new Error(`not a shared hit: ${JSON.stringify(loaded)}`);
    }
  };
  await Promise.all(Array.from({ length: loops }, loop));
  return took.sort((a, b) => a - b);
}

const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;

function show(what: string, sorted: readonly number[], wallUs: number): void {
  const rate = Math.round((sorted.length / wallUs) * 1e6);
  const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)].map((us) => us.toFixed(us < 10 ? 2 : 0));
  console.log(`${what.padEnd(34)} ${String(rate).padStart(9)} a second   p50 ${p50} us   p99 ${p99} us`);
}

async function showLatencies(): Promise<void> {
  const memory = await fill(clear, 600_000);
  const took: number[] = [];
  const startedNs = Bun.nanoseconds();
  for (let index = 0; index < 1_000_000; index++) {
    const oneNs = Bun.nanoseconds();
    if (memory.peek(keyOf(index), undefined, () => undefined) === undefined) throw new Error("not in memory");
    took.push((Bun.nanoseconds() - oneNs) / 1000);
  }
  show(
    "memory hit",
    took.sort((a, b) => a - b),
    (Bun.nanoseconds() - startedNs) / 1000,
  );
  for (const [name, form] of [
    ["clear", clear],
    ["sealed", sealed],
  ] as const) {
    const cache = await fill(form, 0);
    for (const loops of [1, 16, 64]) {
      await loadShared(cache, 5_000, loops);
      const beforeNs = Bun.nanoseconds();
      const sorted = await loadShared(cache, loops === 1 ? 10_000 : 50_000, loops);
      show(`shared hit, ${name}, ${loops} at once`, sorted, (Bun.nanoseconds() - beforeNs) / 1000);
    }
  }
}

async function showMemory(): Promise<void> {
  const cache = await fill(sealed, 0);
  const rssAfter = async (hits: number): Promise<number> => {
    for (let done = 0; done < hits; done += 10_000) await loadShared(cache, 10_000, 64);
    Bun.gc(true);
    await Bun.sleep(1_000);
    return process.memoryUsage.rss() / MIB;
  };
  const early = await rssAfter(100_000);
  const late = await rssAfter(900_000);
  console.log(`RSS after 100,000 shared hits ${early.toFixed(0)} MiB, after 1,000,000 ${late.toFixed(0)} MiB`);
  process.exitCode = late - early > 24 ? 1 : 0;
}

await (process.argv.includes("--memory") ? showMemory() : showLatencies());
