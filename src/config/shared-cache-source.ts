import { readFileSync } from "node:fs";
import { CACHE, readCache } from "./cache.ts";
import type { ValkeyConfiguration } from "./configuration.ts";
import { EnvironmentReader, type Environment, type Problem, type ReadFile } from "./environment-reader.ts";
import { GITHUB, readAppIds, type AppIds } from "./github.ts";
import type { CheckIam } from "./valkey.ts";

/** What `purge` needs of the service's configuration. */
export interface SharedCacheSource {
  readonly valkey: ValkeyConfiguration;
  readonly gitHubApiUrl: URL;
  /** Empty unless asked for. */
  readonly apps: readonly AppIds[];
}

export interface SharedCacheChecks {
  readonly iam: CheckIam;
  /** Whether the Apps' names and ids are needed; their keys never are. */
  readonly withApps: boolean;
  readonly readFile?: ReadFile;
}

/** The cache that instances share, and where GitHub is, as the variables of `serve` say. Nothing else of them is looked at. */
export function findSharedCache(
  environment: Environment,
  { iam, withApps, readFile = (path) => readFileSync(path, "utf8") }: SharedCacheChecks,
):
  | { readonly kind: "found"; readonly source: SharedCacheSource }
  | { readonly kind: "invalid"; readonly problems: readonly Problem[] } {
  const reader = new EnvironmentReader(environment, readFile);
  const { valkey } = readCache(reader, iam);
  const gitHubApiUrl = reader.read(GITHUB.apiUrl);
  const apps = withApps ? readAppIds(reader) : [];
  if (reader.read(CACHE.type) === "memory")
    reader.refuse(CACHE.type, "is memory: instances share nothing, restart them to drop what they hold", "valkey");
  if (valkey === undefined || reader.problems.length > 0) return { kind: "invalid", problems: reader.problems };
  return { kind: "found", source: { valkey, gitHubApiUrl, apps } };
}
