import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { readConfiguration } from "../../src/config/read-configuration.ts";
import { VARIABLES } from "../../src/config/variables.ts";
import { readTemplate } from "../support/cloudformation.ts";

/** What the stacks before it export, and what a person gives, as they would look. */
const IMPORTS: Readonly<Record<string, string>> = {
  "${Name}-SigningKeyAliasArn": "arn:aws:kms:eu-west-1:123456789012:alias/chinmina-github-app",
  "${Name}-CacheAddress": "chinmina-abc123.serverless.euw1.cache.amazonaws.com:6379",
  "${Name}-CacheUserId": "chinmina",
  "${Name}-CacheName": "chinmina",
  "${Name}-KeysetUri":
    "aws-secretsmanager://arn:aws:secretsmanager:eu-west-1:123456789012:secret:/chinmina-bridge/production/tink-keyset-AbCdEf",
  "${Name}-EnvelopeKeyUri": "aws-kms://arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
};
const PARAMETERS: Readonly<Record<string, string>> = {
  OrganizationSlug: "acme",
  OrganizationId: "0190c5a4-0000-7000-8000-000000000000",
  Audience: "chinmina:acme",
  GitHubAppId: "111",
  GitHubAppInstallationId: "222",
  GitHubOrgProfile: "acme:policies:chinmina.yaml",
};
const REGION = "eu-west-1";

const Entry = v.object({ Name: v.string(), Value: v.unknown() });
type Conditions = Readonly<Record<string, boolean>>;

/** What CloudFormation would make of it; undefined for AWS::NoValue. Throws on a reference nobody has. */
function resolve(value: unknown, conditions: Conditions): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("Fn::If" in value) {
    const [condition, yes, no] = v.parse(v.tuple([v.string(), v.unknown(), v.unknown()]), value["Fn::If"]);
    if (!(condition in conditions)) throw new Error(`no condition ${condition}`);
    return resolve(conditions[condition] === true ? yes : no, conditions);
  }
  if ("Ref" in value) {
    if (value.Ref === "AWS::NoValue") return undefined;
    return known(PARAMETERS, v.parse(v.string(), value.Ref));
  }
  if ("Fn::ImportValue" in value)
    return known(IMPORTS, v.parse(v.object({ "Fn::Sub": v.string() }), value["Fn::ImportValue"])["Fn::Sub"]);
  return value;
}

function known(table: Readonly<Record<string, string>>, name: string): string {
  const value = table[name];
  if (value === undefined) throw new Error(`nothing is known of ${name}`);
  return value;
}

function environmentOfTheTask(conditions: Conditions): Record<string, string> {
  const definition = readTemplate("service").Resources["TaskDefinition"]?.Properties?.["ContainerDefinitions"];
  const [container] = v.parse(v.array(v.looseObject({ Environment: v.array(v.unknown()) })), definition);
  const entries = (container?.Environment ?? [])
    .map((entry) => resolve(entry, conditions))
    .filter((entry) => entry !== undefined)
    .map((entry) => v.parse(Entry, entry))
    .map(({ Name, Value }) => [Name, v.parse(v.string(), resolve(Value, conditions))] as const);
  return { ...Object.fromEntries(entries), BUILDKITE_API_TOKEN: "bkua_example", AWS_REGION: REGION };
}

const SHARED = { UsesSharedCache: true, HasOrganizationId: true, HasProfile: true };
const ALONE = { UsesSharedCache: false, HasOrganizationId: false, HasProfile: false };

describe("the environment of the shipped task", () => {
  test("names variables that the service reads", () => {
    const names = new Set(VARIABLES.map(({ name }) => name));
    expect(
      Object.keys(environmentOfTheTask(SHARED)).filter((name) => !names.has(name) && name !== "AWS_REGION"),
    ).toEqual([]);
  });

  test("is a configuration without a warning, with the shared cache encrypted and IAM", () => {
    const result = readConfiguration(environmentOfTheTask(SHARED));
    expect(result.kind === "invalid" ? result.problems : result.warnings).toEqual([]);
    expect(result).toMatchObject({
      configuration: {
        cache: {
          valkey: {
            authentication: { kind: "iam", serverless: true },
            tls: { enabled: true },
            keyset: { kind: "secrets-manager" },
          },
        },
      },
    });
  });

  test("is a configuration with memory alone; the unpinned organization is the only warning", () => {
    const result = readConfiguration(environmentOfTheTask(ALONE));
    expect(result.kind === "invalid" ? result.problems : []).toEqual([]);
    expect(result.warnings.map(({ variable }) => variable)).toEqual(["JWT_BUILDKITE_ORGANIZATION_ID"]);
  });
});
