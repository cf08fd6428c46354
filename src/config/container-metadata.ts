import type { Environment } from "./environment-reader.ts";

/** Where ECS describes the container that this process runs in; undefined elsewhere. Set by ECS, so not one of our variables. */
export function containerMetadataUrl(environment: Environment): string | undefined {
  const url = environment["ECS_CONTAINER_METADATA_URI_V4"];
  return url === "" ? undefined : url;
}
