/** What the instances wrote about their last requests, so that a failure can be told with its cause. */
export class RecentAudit {
  readonly #lines: string[] = [];

  note(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT * 2) this.#lines.splice(0, KEPT);
  }

  /** The `error` of a request's audit entry; says so when there is none. */
  errorOf(requestId: string | null): string {
    const line = requestId === null ? undefined : this.#lines.findLast((one) => one.includes(requestId));
    return line === undefined ? "its audit entry is not there" : (ERROR.exec(line)?.[1] ?? "no error told");
  }
}

/** Seconds of what a soak asks. */
const KEPT = 2_000;
const ERROR = /"error":"((?:[^"\\]|\\.)*)"/;
