import type { KeysetStore } from "../../../src/keyset/keyset-store.ts";
import type { PurgeScope } from "../../../src/purge/purge-scope.ts";
import type { Outside } from "./outside.ts";
import type { SharedServer } from "./shared-server.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

/** What the instances of a simulation share. */
export interface Surroundings {
  readonly clock: SimulatedClock;
  readonly outside: Outside;
  readonly server: SharedServer;
  /** The same numbers at every run. */
  readonly random: () => number;
  readonly connectKeysets: (name: string) => KeysetStore;
  /** By id. */
  readonly purges: ReadonlyMap<string, OrderedPurge>;
  /** Keys whose entries somebody put into the store who was not to. */
  readonly putBack: ReadonlySet<string>;
  readonly count: (what: string) => void;
}

export interface OrderedPurge {
  readonly scope: PurgeScope;
  readonly issuedBeforeEpochSeconds: number;
}
