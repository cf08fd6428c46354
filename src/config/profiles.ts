import type { ProfileConfiguration, ProfileSource } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { flag, read, refused, seconds, lineOfText, type Format } from "./format.ts";
import { variablesOf } from "./variable.ts";

const { defaulted, optional } = variablesOf("profiles");

type GitHubLocation = Extract<ProfileSource, { kind: "github" }>;

const location: Format<GitHubLocation> = {
  accepted: "owner:repository:path/to/profiles.yaml",
  read: (value) => {
    const match = /^([A-Za-z0-9_-]{1,100}):([A-Za-z0-9._-]{1,100}):\/?([^\p{Cc}\\]{1,1024})$/u.exec(value);
    const [, owner, repository, path] = match ?? [];
    if (owner === undefined || repository === undefined || path === undefined) {
      return refused("is not an owner, a repository and a path with colons between them");
    }
    if (/^\.\.?$|\.git$/i.test(repository)) return refused("names no repository");
    const segments = path.split("/");
    return segments.some((segment) => segment === "" || segment === "." || segment === "..")
      ? refused("has an empty, . or .. segment in its path")
      : read({ kind: "github", owner, repository, path });
  },
};

/** Where the policy is, and how old it may grow. */
export const PROFILES = {
  location: optional({
    name: "GITHUB_ORG_PROFILE",
    whenUnset: "only the pipeline profile named default, unless PROFILE_FILE is set",
    meaning: "The profile file in a GitHub repository, read through the App named default.",
    format: location,
  }),
  file: optional({
    name: "PROFILE_FILE",
    whenUnset: "no local file",
    meaning: "A local profile file, watched, for development; excludes GITHUB_ORG_PROFILE.",
    format: lineOfText("a path"),
  }),
  maxStaleMs: defaulted({
    name: "PROFILE_MAX_STALE_SECS",
    default: "86400",
    meaning: "How long a policy rules after its last successful refresh; 503 after that. 0: for ever.",
    format: seconds(0, 315_360_000),
  }),
  allowSelfWrite: defaulted({
    name: "PROFILE_ALLOW_SELF_WRITE",
    default: "false",
    meaning:
      "Whether a caller-scoped profile with write permissions may be vended for the repository of the profile file.",
    format: flag,
  }),
} as const;

export function readProfiles(reader: EnvironmentReader): ProfileConfiguration {
  const github = reader.read(PROFILES.location);
  const path = reader.read(PROFILES.file);
  if (reader.isSet(PROFILES.location) && reader.isSet(PROFILES.file)) {
    reader.refuse(PROFILES.file, "is set, and GITHUB_ORG_PROFILE is too", "one of the two");
  }
  return {
    source: github ?? (path === undefined ? { kind: "none" } : { kind: "file", path }),
    maxStaleMs: reader.read(PROFILES.maxStaleMs),
    allowSelfWrite: reader.read(PROFILES.allowSelfWrite),
  };
}
