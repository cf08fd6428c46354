import type { Address } from "./address.ts";

/** A cluster node's word on where a slot is: for good (`moved`), or for this one command while it migrates (`ask`). */
export interface Redirect {
  readonly kind: "moved" | "ask";
  readonly slot: number;
  readonly address: Address;
}

const SHAPE = /^(MOVED|ASK) (\d{1,5}) ([A-Za-z0-9._:-]*):(\d{1,5})$/;

/**
 * Reads `MOVED 3999 host:6379` and `ASK ...`; undefined for every other text, malformed redirects included.
 *
 * An empty or unknown host means the one that answered: nodes say so when their preferred endpoint is not known. The
 * host may be an IPv6 address without brackets, so the last colon is the one before the port.
 *
 * @see https://valkey.io/topics/cluster-spec/
 */
export function parseRedirect(text: string, answeredBy: Address): Redirect | undefined {
  const [, kind, slotText, hostText, portText] = SHAPE.exec(text.replace(" ?:", " :")) ?? [];
  if (kind === undefined) return undefined;
  const [slot, port] = [Number(slotText), Number(portText)];
  if (slot >= 16384 || port < 1 || port > 65535) return undefined;
  const host = hostText === undefined || hostText === "" ? answeredBy.host : hostText;
  return { kind: kind === "MOVED" ? "moved" : "ask", slot, address: { host, port } };
}
