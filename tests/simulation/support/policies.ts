import { compileFile } from "../../../src/profiles/compile.ts";
import type { PolicyGeneration } from "../../../src/profiles/policy.ts";

export const PIPELINES = ["alpha", "beta", "gamma"] as const;
export type PipelineName = (typeof PIPELINES)[number];

export interface Policy {
  readonly generation: PolicyGeneration;
  /** Who may have the organization profile, said a second time: what the simulation holds the service to. */
  readonly mayDeploy: readonly PipelineName[];
}

function compile(permission: string, mayDeploy: readonly PipelineName[]): Policy {
  const yaml = `pipeline:
  defaults:
    permissions: ["contents:read", "${permission}"]
organization:
  profiles:
    - name: deploy
      match:
        - claim: pipeline_slug
          valuePattern: "${mayDeploy.join("|")}"
      repositories: [shared]
      permissions: ["contents:write"]
`;
  const digest = new Bun.CryptoHasher("sha256").update(yaml).digest("hex");
  const compiled = compileFile(new TextEncoder().encode(yaml), digest);
  if (compiled.kind === "refused") throw new Error(JSON.stringify(compiled.findings));
  return { generation: compiled.policy.generation, mayDeploy };
}

/** Generations that can be in force. */
export const POLICIES = [
  compile("issues:read", ["alpha", "beta"]),
  compile("issues:read", ["alpha"]),
  compile("packages:read", ["beta", "gamma"]),
] as const;
export type PolicyIndex = 0 | 1 | 2;
