import { createPermissionSet, type PermissionSet } from "../permissions/permission-set.ts";
import { createMatchRules } from "./matcher.ts";
import { DEFAULT_APP, type PipelineProfile, type PolicyGeneration } from "./policy.ts";
import { DEFAULT_PROFILE } from "./reference.ts";

/** The digest that stands for "no profile file": the default profile with the default permissions, and nothing else. */
const NO_FILE_DIGEST = "default-profile:v1";

/** What the default profile may do where the file has no `pipeline.defaults.permissions`, and where there is no file. */
export const CONTENTS_READ: PermissionSet = createPermissionSet([{ field: "contents", action: "read" }]);

/** The `default` pipeline profile: it always exists, takes no match rules, and uses the default App. */
export function createDefaultProfile(permissions: PermissionSet): PipelineProfile {
  return { kind: "pipeline", name: DEFAULT_PROFILE, appName: DEFAULT_APP, permissions, rules: createMatchRules([]) };
}

/** The policy in force where no profile file is configured: a pipeline may read its own repository. */
export const defaultPolicy: PolicyGeneration = {
  digest: NO_FILE_DIGEST,
  defaultPipelineProfile: createDefaultProfile(CONTENTS_READ),
  pipelineProfiles: new Map(),
  organizationProfiles: new Map(),
};
