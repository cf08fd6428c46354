import { addKey, createKeyset, disableKey, promoteKey } from "../../../src/tink/edit-keyset.ts";
import { findTemplate } from "../../../src/tink/key-templates.ts";
import { createAead } from "../../../src/tink/create-aead.ts";
import type { Keyset } from "../../../src/tink/keyset.ts";
import type { Aead } from "../../../src/tink/nonce-aead.ts";
import type { KeysetStore, StoredKeyset } from "../../../src/keyset/keyset-store.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import type { Network } from "./network.ts";

/** The stages of two rotations: each keyset as it follows on the one before. */
export const KEYSETS: readonly Keyset[] = stages();

function stages(): readonly Keyset[] {
  const template = findTemplate("AES128_GCM");
  let seed = 0;
  const random = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, () => (seed += 7) % 251);
  const first = createKeyset(template, random);
  const all = [first];
  for (let rotation = 0, old = first.primaryKeyId; rotation < 2; rotation++) {
    const { keyset, keyId } = addKey(all.at(-1) ?? first, template, random);
    const promoted = promoteKey(keyset, keyId);
    all.push(keyset, promoted, disableKey(promoted, old));
    old = keyId;
  }
  return all;
}

const AEADS = KEYSETS.map((keyset) => createAead(keyset));
const DEADLINE_MS = 20_000;

/** Where the keyset lies that the instances read. */
export class Keysets {
  /** How far its rotation has come. */
  stage = 0;
  isReachable = true;
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
  }

  /** Of the keyset as it is, for whoever reads it afresh. */
  readonly currentAead = (): Aead => at(AEADS, this.stage);

  /** An instance does not start without a keyset, so its first reading succeeds. */
  connect(name: string): KeysetStore {
    let reads = 0;
    return {
      name: "secret",
      step: "secret",
      inspect: unused,
      write: unused,
      read: async () =>
        reads++ === 0
          ? this.#current()
          : this.#network.call({
              label: `${name}: read keyset`,
              deadlineMs: DEADLINE_MS,
              serve: () => (this.isReachable ? this.#current() : away()),
              tooLate: away,
            }),
    };
  }

  #current(): StoredKeyset {
    return {
      keyset: at(KEYSETS, this.stage),
      versionId: String(this.stage),
      createdAtEpochMs: 0,
      summaryAgrees: true,
      [Symbol.dispose]: () => undefined,
    };
  }
}

function away(): never {
  throw new UpstreamFault("upstream-unavailable", "read keyset", { upstream: "secrets-manager" });
}

function unused(): never {
  throw new Error("instances only read");
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(String(index));
  return found;
}
