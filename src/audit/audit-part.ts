import { renderMembers } from "./render-members.ts";

/**
 * Members of an audit entry that come again with the next request of the same caller or token: they are cut and rendered when first
 * written, and kept. Half of the cost of a line.
 */
export class AuditPart<Members extends object> {
  readonly members: Members;
  #json: string | undefined;

  constructor(members: Members) {
    this.members = members;
  }

  /** `"a":1,"b":"x"`: JSON without its braces. */
  get json(): string {
    return (this.#json ??= renderMembers(this.members));
  }
}

/** The same, for members that end in an object to which each line adds something. */
export class OpenAuditPart<Members extends object> {
  readonly members: Members;
  #json: string | undefined;

  constructor(members: Members) {
    this.members = members;
  }

  /** `"a":{"b":1},"c":{"d":2`: without the brace of the last one, which must not be empty. */
  get json(): string {
    return (this.#json ??= renderMembers(this.members).slice(0, -1));
  }
}
