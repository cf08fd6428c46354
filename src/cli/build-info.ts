// scripts/build.ts replaces these names with text; when running from source they do not exist.
declare const BUILD_VERSION: string | undefined;
declare const BUILD_COMMIT: string | undefined;

export interface BuildInfo {
  readonly version: string;
  readonly commit: string;
  readonly runtime: string;
}

/** What this program was built from. From source: version `0.0.0-source`, commit `unknown`. */
export const BUILD_INFO: BuildInfo = {
  version: typeof BUILD_VERSION === "string" ? BUILD_VERSION : "0.0.0-source",
  commit: typeof BUILD_COMMIT === "string" ? BUILD_COMMIT : "unknown",
  runtime: `bun ${Bun.version}`,
};
