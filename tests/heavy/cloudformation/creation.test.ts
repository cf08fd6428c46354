import { KMS } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readTemplate, templateText, type StackName } from "../../support/cloudformation.ts";
import { callAws, requestCertificate } from "../../support/cloudformation-calls.ts";
import { INSTALL_TIMEOUT_MS, startEmulator, type Emulator } from "../../support/emulators.ts";

/** What moto's CloudFormation cannot create; cfn-lint checks these, and a stand-in exports what the last stack imports of them. */
const UNKNOWN_TO_MOTO = new Set([
  "AWS::IAM::RolePolicy",
  "AWS::SecretsManager::Secret",
  "AWS::ElastiCache::User",
  "AWS::ElastiCache::UserGroup",
  "AWS::ElastiCache::ServerlessCache",
  "AWS::EC2::SecurityGroupEgress",
  "AWS::Logs::MetricFilter",
  "AWS::CloudWatch::Alarm",
]);
const STAND_IN = {
  Resources: { Topic: { Type: "AWS::SNS::Topic" } },
  Outputs: Object.fromEntries(
    Object.entries({
      CacheAddress: "chinmina.serverless.use1.cache.amazonaws.com:6379",
      CacheUserId: "chinmina",
      CacheName: "chinmina",
      BuildkiteTokenSecretArn:
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:/chinmina-bridge/production/buildkite-api-token",
    }).map(([name, Value]) => [name, { Value, Export: { Name: `chinmina-${name}` } }]),
  ),
};
const SERVICE_PARAMETERS = {
  Image: `123456789012.dkr.ecr.us-east-1.amazonaws.com/chinmina/chinmina-bridge@sha256:${"a".repeat(64)}`,
  OrganizationSlug: "acme",
  Audience: "chinmina:acme",
  GitHubAppId: "111",
  GitHubAppInstallationId: "222",
  GitHubOrgProfile: "acme:policies:chinmina.yaml",
};

describe("the stacks, created in moto one after the other", () => {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator("moto");
  }, INSTALL_TIMEOUT_MS);
  afterAll(() => emulator[Symbol.asyncDispose]());

  /** Resolves with the types of what was created. */
  async function create(
    stack: string,
    body: string,
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<string[]> {
    const numbered = Object.entries(parameters).flatMap(([name, value], index) => [
      [`Parameters.member.${index + 1}.ParameterKey`, name],
      [`Parameters.member.${index + 1}.ParameterValue`, value],
    ]);
    const input = Object.fromEntries([
      ["StackName", stack],
      ["TemplateBody", body],
      ["Capabilities.member.1", "CAPABILITY_NAMED_IAM"],
      ...numbered,
    ]);
    await callAws(emulator.url, "cloudformation", "CreateStack", input);
    const resources = await callAws(emulator.url, "cloudformation", "DescribeStackResources", { StackName: stack });
    return elements(resources, "ResourceType");
  }

  /** Every type in the template but those that moto does not know, and those of a condition that does not hold. */
  function expected(stack: StackName, left: readonly string[] = []): string[] {
    return Object.values(readTemplate(stack).Resources)
      .filter((resource) => !UNKNOWN_TO_MOTO.has(resource.Type) && !left.includes(String(resource["Condition"])))
      .map(({ Type }) => Type)
      .sort();
  }

  test("the network, in a VPC that is there", async () => {
    const vpc =
      elements(await callAws(emulator.url, "ec2", "CreateVpc", { CidrBlock: "10.0.0.0/16" }), "vpcId")[0] ?? "";
    const subnets: string[] = [];
    for (const [index, zone] of ["us-east-1a", "us-east-1b"].entries()) {
      const reply = await callAws(emulator.url, "ec2", "CreateSubnet", {
        VpcId: vpc,
        CidrBlock: `10.0.${index}.0/24`,
        AvailabilityZone: zone,
      });
      subnets.push(elements(reply, "subnetId")[0] ?? "");
    }
    const created = await create("network", templateText("network"), {
      ExistingVpcId: vpc,
      ExistingPrivateSubnetIds: subnets.join(","),
    });
    expect(created.sort()).toEqual(expected("network", ["NewVpc"]));
  });

  test("the foundation; its keys are as the policies say when KMS is asked", async () => {
    const created = await create("foundation", withoutUnknownExport(templateText("foundation")), {
      OperatorPrincipalArn: "arn:aws:iam::123456789012:role/operations",
    });
    expect(created.sort()).toEqual(expected("foundation"));
    const kms = new KMS({
      region: "us-east-1",
      endpoint: emulator.url,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    const { Aliases = [] } = await kms.listAliases();
    const keyOf = (alias: string): string | undefined =>
      Aliases.find(({ AliasName }) => AliasName === alias)?.TargetKeyId;
    const { Policy } = await kms.getKeyPolicy({ KeyId: keyOf("alias/chinmina-github-app"), PolicyName: "default" });
    expect(JSON.stringify(Policy)).toContain("NobodyElseSigns");
    expect(JSON.stringify(Policy)).toContain(":role/chinmina-task");
    const rotation = await kms.getKeyRotationStatus({ KeyId: keyOf("alias/chinmina-cache-encryption") });
    expect(rotation).toMatchObject({ KeyRotationEnabled: true });
    kms.destroy();
  });

  test("the service, from what the others export", async () => {
    await create("stand-in", JSON.stringify(STAND_IN));
    const created = await create("service", templateText("service"), {
      ...SERVICE_PARAMETERS,
      CertificateArn: await requestCertificate(emulator.url, "chinmina.example.com"),
    });
    expect(created.sort()).toEqual(expected("service"));
  });
});

/** moto takes the name of an export whose value it cannot make, and then does not find it. */
function withoutUnknownExport(template: string): string {
  const shortened = template.replace(/^ {2}BuildkiteTokenSecretArn:\n(?: {4}.*\n)+/m, "");
  if (shortened === template) throw new Error("the foundation no longer exports BuildkiteTokenSecretArn");
  return shortened;
}

function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)<`, "g"))].map((match) => match[1] ?? "");
}
