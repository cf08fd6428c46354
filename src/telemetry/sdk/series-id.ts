import type { Attributes } from "@opentelemetry/api";

/** What tells series of one instrument apart: the values of its attributes, in the order of `keys`. */
export function seriesId(keys: readonly string[], attributes: Attributes): string {
  let id = "";
  for (const key of keys) id += `${String(attributes[key])}\n`;
  return id;
}
