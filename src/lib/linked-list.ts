/** What can be in one `LinkedList` at a time. */
export interface Linked<Node> {
  older: Node | undefined;
  newer: Node | undefined;
}

/**
 * In the order in which they were appended. What is removed is let go of at once: a `Map` or `Set` leaves a tombstone, which later look-ups
 * walk, and keeps what has left alive until it is next rebuilt; an array moves all that follow.
 */
export class LinkedList<Node extends Linked<Node>> {
  #size = 0;
  #oldest: Node | undefined;
  #newest: Node | undefined;

  get size(): number {
    return this.#size;
  }

  get oldest(): Node | undefined {
    return this.#oldest;
  }

  get newest(): Node | undefined {
    return this.#newest;
  }

  /** It must be in no list. */
  append(node: Node): void {
    node.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
    this.#size += 1;
  }

  /** It must be in this list. */
  remove(node: Node): void {
    const { older, newer } = node;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    // Or whoever still holds this one would hold its neighbours.
    node.older = undefined;
    node.newer = undefined;
    this.#size -= 1;
  }
}
