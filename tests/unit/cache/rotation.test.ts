import { describe, expect, test } from "bun:test";
import { createSealedForm } from "../../../src/cache/entry-form.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { createAead } from "../../../src/tink/create-aead.ts";
import { addKey, createKeyset, disableKey, promoteKey } from "../../../src/tink/edit-keyset.ts";
import { DEFAULT_TEMPLATE, findTemplate } from "../../../src/tink/key-templates.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";
import { createInstance, LOCAL_TTL_MS } from "../../support/cache-instance.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { createMemoryEntryStore } from "../../support/memory-entry-store.ts";

const template = findTemplate(DEFAULT_TEMPLATE);
const NAMES = Array.from({ length: 8 }, (_none, index) => `name-${index}`);

/** The keysets of a rotation, one after the other. */
function stages(): readonly Keyset[] {
  const old = createKeyset(template, systemRandom);
  const { keyset: added, keyId } = addKey(old, template, systemRandom);
  const promoted = promoteKey(added, keyId);
  return [old, added, promoted, disableKey(promoted, old.primaryKeyId)];
}

function createPair() {
  const clock = createFixedClock();
  const store = createMemoryEntryStore(clock);
  const start = (keyset: Keyset) => {
    let aead = createAead(keyset);
    const observer = { ciphered: () => undefined };
    const form = createSealedForm({ keyPrefix: "", currentAead: () => aead, clock, observer });
    return { ...createInstance(clock, store, form), use: (next: Keyset) => (aead = createAead(next)) };
  };
  return { clock, store, start };
}

describe("a rotation while two instances lag each other", () => {
  // By one stage in the regular course; by two when somebody does not wait.
  test.each([1, 2])("by %p stages fails no request and destroys no entry", async (lag) => {
    const keysets = stages();
    const { clock, store, start } = createPair();
    const [first = createKeyset(template, systemRandom)] = keysets;
    const [ahead, behind] = [start(first), start(first)];
    let requests = 0;
    for (let stage = 0; stage < keysets.length + lag; stage++) {
      ahead.use(keysets[Math.min(stage, keysets.length - 1)] ?? first);
      behind.use(keysets[Math.max(0, stage - lag)] ?? first);
      for (let round = 0; round < 2; round++) {
        for (const instance of round === 0 ? [ahead, behind] : [behind, ahead]) {
          for (const name of NAMES) {
            expect(await instance.loadNow(name)).toMatchObject({ kind: "value", value: { name } });
            requests += 1;
          }
        }
        clock.advance(LOCAL_TTL_MS);
      }
    }
    expect(requests).toBe(2 * 2 * NAMES.length * (keysets.length + lag));
    expect(store.commands.filter((command) => command.startsWith("remove"))).toEqual([]);
    expect([...store.values.keys()].toSorted()).toEqual(NAMES.map((name) => `enc:${name}`));
  });
});
