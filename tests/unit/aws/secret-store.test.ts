import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createAwsClients, type AwsClients } from "../../../src/aws/clients.ts";
import { createSecretStore } from "../../../src/aws/secret-store.ts";
import type { SecretStore } from "../../../src/keyset/secret-store.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import { awsError, startAwsJsonServer, type AwsJsonServer } from "../../support/aws-json-server.ts";
import { rejection } from "../../support/rejection.ts";

const ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keyset-AbCdEf";
const NO_VALUE_TEXT = "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT";
const FOUND = { ARN, Name: "keyset", VersionId: "v1", CreatedDate: 1_768_259_000.25, SecretString: "{}" };
const MOVE = { secretId: "keyset", toVersionId: "v2", fromVersionId: "v1" };

describe("createSecretStore()", () => {
  let server: AwsJsonServer;
  let environment: Disposable;
  let aws: AwsClients;
  let store: SecretStore;
  /** Replies by operation. */
  let replies: Readonly<Record<string, () => Response>> = {};
  beforeAll(() => {
    server = startAwsJsonServer(({ operation }) => replies[operation]?.() ?? awsError("NotPlanned"));
    environment = useAwsEnvironment({ AWS_ENDPOINT_URL_SECRETS_MANAGER: server.url, AWS_REGION: "us-west-2" });
    aws = createAwsClients(async () => ({ accessKeyId: "a", secretAccessKey: "s" }), systemClock);
    store = createSecretStore(aws);
  });
  afterAll(async () => {
    aws[Symbol.dispose]();
    environment[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  test("reads the version that has AWSCURRENT, asked for by name", async () => {
    replies = { GetSecretValue: () => Response.json(FOUND) };
    expect(await store.getCurrent("keyset")).toEqual({
      kind: "found",
      arn: ARN,
      versionId: "v1",
      createdAtEpochMs: 1_768_259_000_250,
      value: "{}",
    });
    expect(server.requests.at(-1)?.input).toEqual({ SecretId: "keyset", VersionStage: "AWSCURRENT" });
  });

  test("a name is looked up in the region of the environment, an ARN in its own", async () => {
    replies = { GetSecretValue: () => Response.json(FOUND) };
    await store.getCurrent("keyset");
    expect(server.requests.at(-1)?.authorization).toContain("/us-west-2/secretsmanager/");
    await store.getCurrent(ARN);
    expect(server.requests.at(-1)?.authorization).toContain("/eu-central-1/secretsmanager/");
  });

  test("without a region a name is refused, with what to do", async () => {
    using _ = useAwsEnvironment({ AWS_ENDPOINT_URL: server.url });
    using regionless = createAwsClients(async () => ({ accessKeyId: "a", secretAccessKey: "s" }), systemClock);
    expect(await rejection(createSecretStore(regionless).getCurrent("keyset"))).toMatchObject({
      code: "upstream-refused",
      message: "secrets-manager: no region: AWS_REGION is not set",
    });
  });

  const absent = (): Response => awsError("ResourceNotFoundException");
  const absentValue = (): Response =>
    Response.json({ __type: "ResourceNotFoundException", message: NO_VALUE_TEXT }, { status: 400 });
  const denied = (): Response => awsError("AccessDeniedException");
  test.each([
    ["a secret without a value", absent, () => Response.json({ ARN }), "no-value"],
    ["no secret", absent, absent, "not-found"],
    ["no secret, and no right to its description", absent, denied, "not-found"],
    ["a secret without a value, and no right to its description", absentValue, denied, "no-value"],
    ["no right to the value", denied, absent, "denied"],
  ] as const)("%s", async (_, value, description, kind) => {
    replies = { GetSecretValue: value, DescribeSecret: description };
    expect(await store.getCurrent("keyset")).toEqual({ kind });
  });

  test("a binary secret is malformed, and so is a reply without a version", async () => {
    const { VersionId: _, ...versionless } = FOUND;
    for (const reply of [{ ...FOUND, SecretString: undefined, SecretBinary: "AAAA" }, versionless]) {
      replies = { GetSecretValue: () => Response.json(reply) };
      expect(await rejection(store.getCurrent("keyset"))).toMatchObject({ code: "upstream-malformed" });
    }
  });

  test("a failing description is a fault, not an answer", async () => {
    replies = { GetSecretValue: absent, DescribeSecret: () => awsError("InternalServiceError", 500) };
    expect(await rejection(store.getCurrent("keyset"))).toMatchObject({ code: "upstream-unavailable" });
  });

  test("stores a version under the stage alone, with its id as the request's token", async () => {
    replies = { PutSecretValue: () => Response.json({}) };
    await store.putStaged({ secretId: "keyset", versionId: "v2", stage: "pending", value: "text" });
    expect(server.requests.at(-1)).toMatchObject({
      operation: "PutSecretValue",
      input: { SecretId: "keyset", ClientRequestToken: "v2", VersionStages: ["pending"], SecretString: "text" },
    });
  });

  test("moves AWSCURRENT from the one version to the other", async () => {
    replies = { UpdateSecretVersionStage: () => Response.json({}) };
    expect(await store.moveCurrent(MOVE)).toBe("moved");
    const input = { SecretId: "keyset", VersionStage: "AWSCURRENT", MoveToVersionId: "v2" };
    expect(server.requests.at(-1)?.input).toEqual({ ...input, RemoveFromVersionId: "v1" });
    await store.moveCurrent({ secretId: "keyset", toVersionId: "v2" });
    expect(server.requests.at(-1)?.input).toEqual(input);
  });

  test.each(["InvalidParameterException", "ResourceNotFoundException"])("%s on a move is a conflict", async (name) => {
    replies = { UpdateSecretVersionStage: () => awsError(name) };
    expect(await store.moveCurrent(MOVE)).toBe("conflict");
  });

  test.each(["AccessDeniedException", "InvalidRequestException", "ResourceExistsException"])(
    "%s on a write is a refusal without AWS's text",
    async (name) => {
      replies = { UpdateSecretVersionStage: () => awsError(name), PutSecretValue: () => awsError(name) };
      const version = { secretId: "keyset", versionId: "v2", stage: "pending", value: "canary-value" };
      for (const write of [() => store.moveCurrent(MOVE), () => store.putStaged(version)]) {
        const error: unknown = await write().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({
          code: "upstream-refused",
          details: { upstream: "secrets-manager", status: 400 },
        });
        expect(Bun.inspect(error)).toContain(name);
        expect(Bun.inspect(error)).not.toContain("canary");
      }
    },
  );
});
