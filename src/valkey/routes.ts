import { type Address, formatAddress } from "./address.ts";
import type { Link } from "./link.ts";

/** More servers than a cluster has shards (500); a bound on what redirects can make us connect to. */
const MOST_LINKS = 600;

/** A server that no attempt has reached this many times in a row is forgotten, unless it is the configured one. */
const HOPELESS_AFTER = 5;

export type LinkFactory = (address: Address, onFailedAttempt: (link: Link, failures: number) => void) => Link;

/**
 * Which server has which slot, as far as redirects have told: at first the configured one has them all, and without
 * cluster mode for ever. `CLUSTER SLOTS` is not asked for, so no permission for it is needed and a serverless cache's
 * single virtual node is nothing special.
 */
export class Routes implements Disposable {
  readonly #createLink: LinkFactory;
  readonly #seed: Link;
  readonly #links = new Map<string, Link>();
  readonly #slots = new Map<number, Link>();
  readonly #onForgotten: (server: string) => void;

  constructor(seed: Address, createLink: LinkFactory, onForgotten: (server: string) => void) {
    this.#createLink = createLink;
    this.#onForgotten = onForgotten;
    this.#seed = this.#connect(seed);
  }

  get links(): readonly Link[] {
    return [...this.#links.values()];
  }

  get seed(): Link {
    return this.#seed;
  }

  linkFor(slot: number): Link {
    return this.#slots.get(slot) ?? this.#seed;
  }

  /** The link to a server that a redirect named; the configured one when there are too many. */
  linkTo(address: Address): Link {
    const known = this.#links.get(formatAddress(address));
    return known ?? (this.#links.size < MOST_LINKS ? this.#connect(address) : this.#seed);
  }

  /** Every later command for the slot goes there. A server that has no slot left is let go. */
  move(slot: number, address: Address): Link {
    const from = this.#slots.get(slot);
    const to = this.linkTo(address);
    this.#slots.set(slot, to);
    if (from !== undefined && from !== to && !this.#hasSlots(from)) this.#forget(from);
    return to;
  }

  /** Another server to ask the way when this one does not answer: after a failover the others know the new primary. */
  detour(around: Link): Link | undefined {
    const others = [this.#seed, ...this.#links.values()];
    return others.find((link) => link !== around && link.usable);
  }

  [Symbol.dispose](): void {
    for (const link of this.#links.values()) link[Symbol.dispose]();
    this.#links.clear();
    this.#slots.clear();
  }

  #connect(address: Address): Link {
    const link = this.#createLink(address, (failing, failures) => {
      if (failures >= HOPELESS_AFTER) this.#forget(failing);
    });
    this.#links.set(link.server, link);
    return link;
  }

  #hasSlots(link: Link): boolean {
    return this.#slots.values().some((owner) => owner === link);
  }

  #forget(link: Link): void {
    if (link === this.#seed || !this.#links.delete(link.server)) return;
    for (const [slot, owner] of this.#slots) if (owner === link) this.#slots.delete(slot);
    link[Symbol.dispose]();
    this.#onForgotten(link.server);
  }
}
