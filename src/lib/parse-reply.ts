import * as v from "valibot";
import type { BoundedResponse } from "./bounded-fetch.ts";
import { UpstreamFault, type Upstream } from "./upstream-fault.ts";

/**
 * A JSON reply as its schema has it; fields the schema does not name are dropped.
 *
 * Throws `upstream-malformed`, naming the first field that is wrong but never a value.
 */
export function parseReply<Schema extends v.GenericSchema>(
  schema: Schema,
  response: BoundedResponse,
  call: { readonly upstream: Upstream; readonly operation: string },
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, parseJson(response.body));
  if (result.success) return result.output;
  const field = v.getDotPath(result.issues[0]) ?? "the reply";
  throw new UpstreamFault("upstream-malformed", `${call.operation}: ${field} is not as documented`, {
    upstream: call.upstream,
    status: response.status,
  });
}

/** A byte-order mark is passed over. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    return undefined;
  }
}
