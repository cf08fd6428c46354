import type { PermissionSet } from "../permissions/permission-set.ts";
import type { MatchRules, PolicyGeneration } from "./policy.ts";

/** The digest that stands for "no profile file": the default profile with the default permissions, and nothing else. */
const NO_FILE_DIGEST = "default-profile:v1";

const CONTENTS_READ: PermissionSet = {
  names: ["contents:read", "metadata:read"],
  request: { contents: "read", metadata: "read" },
};

const EVERYONE: MatchRules = { evaluate: () => ({ kind: "matched", matches: [] }) };

/** The policy in force where no profile file is configured: a pipeline may read its own repository. */
export const defaultPolicy: PolicyGeneration = {
  digest: NO_FILE_DIGEST,
  defaultPipelineProfile: {
    kind: "pipeline",
    name: "default",
    appName: "default",
    permissions: CONTENTS_READ,
    rules: EVERYONE,
  },
  pipelineProfiles: new Map(),
  organizationProfiles: new Map(),
};
