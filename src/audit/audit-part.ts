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
    return (this.#json ??= this.render());
  }

  protected render(): string {
    return renderMembers(this.members);
  }
}

/** The same, for members that end in an object to which each line adds something. That object must not be empty. */
export class OpenAuditPart<Members extends object> extends AuditPart<Members> {
  /** `"a":{"b":1},"c":{"d":2`: without the brace of the last one. */
  protected override render(): string {
    return super.render().slice(0, -1);
  }
}
