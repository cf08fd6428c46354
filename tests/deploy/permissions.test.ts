import { describe, expect, test } from "bun:test";
import { templateText, STACKS } from "../support/cloudformation.ts";
import { shippedResources, shippedStatements } from "../support/shipped-resources.ts";

const statements = shippedStatements();
const named = (owner: string, sid: string): unknown =>
  statements.find((statement) => statement.owner === owner && statement.Sid === sid);
/** In a key's own policy `*` is that key. */
const KEYS = new Set(["foundation/SigningKey", "foundation/EnvelopeKey"]);
/** Actions for which AWS knows no narrower resource. */
const WITHOUT_RESOURCE = ["ecr:GetAuthorizationToken"];

describe("every statement that allows", () => {
  const allowing = statements.filter(({ Effect }) => Effect === "Allow");

  test("is there to be looked at", () => {
    expect(allowing.length).toBeGreaterThan(10);
  });

  test.each(allowing.map((statement) => [`${statement.owner} ${statement.Sid}`, statement] as const))(
    "%s names its actions and its resources",
    (_name, { owner, Sid, actions, Resource }) => {
      const administrators = KEYS.has(owner) && Sid === "AdministeredByTheAccount";
      if (!administrators) expect(actions.filter((action) => action.includes("*"))).toEqual([]);
      const anyResource = JSON.stringify(Resource ?? "").includes('"*"');
      if (anyResource && !KEYS.has(owner)) expect(WITHOUT_RESOURCE).toEqual(expect.arrayContaining([...actions]));
    },
  );

  test("is the only one that uses it", () => {
    expect(new Set(statements.map(({ owner, Sid }) => `${owner} ${Sid}`)).size).toBe(statements.length);
  });
});

test("no policy stands inside a role, where its statements would not be seen here one by one", () => {
  for (const { resource } of shippedResources("AWS::IAM::Role")) {
    expect(resource.Properties).not.toContainAnyKeys(["Policies", "ManagedPolicyArns"]);
  }
});

describe("the signing key", () => {
  test("is used by the task role alone, whoever else is an administrator", () => {
    expect(named("foundation/SigningKey", "NobodyElseSigns")).toMatchObject({
      Effect: "Deny",
      Principal: "*",
      Action: "kms:Sign",
      Condition: { ArnNotEquals: { "aws:PrincipalArn": { "Fn::GetAtt": "TaskRole.Arn" } } },
    });
  });

  test("is used through its alias alone, for the one algorithm of GitHub Apps", () => {
    expect(named("foundation/SigningKey", "TheServiceSigns")).toMatchObject({
      Principal: { AWS: { "Fn::GetAtt": "TaskRole.Arn" } },
      Action: "kms:Sign",
      Condition: {
        StringEquals: {
          "kms:RequestAlias": { "Fn::Sub": "alias/${Name}-github-app" },
          "kms:SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256",
          "kms:MessageType": "DIGEST",
        },
      },
    });
  });

  test("is given to nobody by a grant", () => {
    expect(named("foundation/SigningKey", "NobodyGrants")).toMatchObject({
      Effect: "Deny",
      Principal: "*",
      Action: "kms:CreateGrant",
    });
  });

  test("is signed with by no other statement", () => {
    const signing = statements.filter(({ Effect, actions }) => Effect === "Allow" && actions.includes("kms:Sign"));
    expect(signing.map(({ owner, Sid }) => `${owner} ${Sid}`)).toEqual(["foundation/SigningKey TheServiceSigns"]);
  });
});

test("the envelope key is rotated each year and deleted after 30 days at the soonest", () => {
  const key = shippedResources("AWS::KMS::Key").find(({ name }) => name === "EnvelopeKey");
  expect(key?.resource.Properties).toMatchObject({
    EnableKeyRotation: true,
    RotationPeriodInDays: 365,
    PendingWindowInDays: 30,
  });
});

test("roles are taken by tasks of this account alone, or by the operator that is named", () => {
  for (const { owner, Principal, Condition } of statements.filter(({ actions }) =>
    actions.includes("sts:AssumeRole"),
  )) {
    if (owner === "foundation/OperatorRole") expect(Principal).toEqual({ AWS: { Ref: "OperatorPrincipalArn" } });
    else expect(Condition).toMatchObject({ StringEquals: { "aws:SourceAccount": { Ref: "AWS::AccountId" } } });
  }
});

test("the load balancer is reached from the marker group alone, the tasks from the load balancer, the cache from the tasks", () => {
  const from = (name: string): unknown[] =>
    shippedResources("AWS::EC2::SecurityGroup")
      .filter((group) => group.name === name)
      .flatMap(({ resource }) => resource.Properties?.["SecurityGroupIngress"] ?? [])
      .map((rule) => (rule as { SourceSecurityGroupId: unknown }).SourceSecurityGroupId);
  expect(from("AgentsGroup")).toEqual([]);
  expect(from("LoadBalancerGroup")).toEqual([{ Ref: "AgentsGroup" }]);
  expect(from("ServiceGroup")).toEqual([{ Ref: "LoadBalancerGroup" }]);
  expect(from("CacheGroup")).toEqual([{ Ref: "ServiceGroup" }]);
  expect(shippedResources("AWS::EC2::SecurityGroupIngress")).toEqual([]);
});

test("the marker group lets agents reach the load balancer, and adds nothing else to what they may", () => {
  const marker = shippedResources("AWS::EC2::SecurityGroup").find(({ name }) => name === "AgentsGroup");
  expect(marker?.resource.Properties).not.toContainAnyKeys(["SecurityGroupEgress", "SecurityGroupIngress"]);
  const rules = shippedResources("AWS::EC2::SecurityGroupEgress").filter(
    ({ resource }) => JSON.stringify(resource.Properties?.["GroupId"]) === JSON.stringify({ Ref: "AgentsGroup" }),
  );
  // One at least: without any the default lets everything out.
  expect(rules.map(({ resource }) => resource.Properties)).toEqual([
    expect.objectContaining({
      IpProtocol: "tcp",
      FromPort: 443,
      ToPort: 443,
      DestinationSecurityGroupId: { Ref: "LoadBalancerGroup" },
    }),
  ]);
});

test("what holds keys, secrets, images or audit entries outlives its stack", () => {
  for (const type of ["AWS::KMS::Key", "AWS::SecretsManager::Secret", "AWS::ECR::Repository", "AWS::Logs::LogGroup"]) {
    for (const { resource } of shippedResources(type)) {
      expect(resource).toMatchObject({ DeletionPolicy: "Retain", UpdateReplacePolicy: "Retain" });
    }
  }
});

test("no template holds an account, a key or a token", () => {
  for (const stack of STACKS) expect(templateText(stack)).not.toMatch(/\d{12}|AKIA|bkua_|ghs_|BEGIN /);
});
