import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { VARIABLES } from "../../src/config/variables.ts";
import { readTemplate } from "../support/cloudformation.ts";
import { branches, shippedResources } from "../support/shipped-resources.ts";

const Container = v.looseObject({
  Name: v.string(),
  Image: v.object({ Ref: v.string() }),
  User: v.string(),
  ReadonlyRootFilesystem: v.boolean(),
  LinuxParameters: v.looseObject({ Capabilities: v.object({ Drop: v.array(v.string()), Add: v.optional(v.never()) }) }),
  Ulimits: v.array(v.object({ Name: v.string(), SoftLimit: v.number(), HardLimit: v.number() })),
  StopTimeout: v.number(),
  HealthCheck: v.looseObject({ Command: v.array(v.string()) }),
  LogConfiguration: v.object({ LogDriver: v.string(), Options: v.record(v.string(), v.unknown()) }),
  Environment: v.array(v.unknown()),
  Secrets: v.array(v.object({ Name: v.string(), ValueFrom: v.unknown() })),
  Privileged: v.optional(v.literal(false)),
});
const Variable = v.object({ Name: v.string(), Value: v.unknown() });

const definitions = shippedResources("AWS::ECS::TaskDefinition");
const containers = definitions.flatMap(({ name, resource }) =>
  v
    .parse(v.array(Container), resource.Properties?.["ContainerDefinitions"])
    .map((container) => Object.assign(container, { where: `${name}/${container.Name}` })),
);
const setting = (environment: readonly unknown[], name: string): number =>
  Number(
    environment
      .flatMap(branches)
      .map((entry) => v.parse(Variable, entry))
      .find((entry) => entry.Name === name)?.Value,
  );

test("there is a container to look at", () => {
  expect(containers.map(({ where }) => where)).toContain("TaskDefinition/chinmina-bridge");
});

describe.each(containers)("the container $where", (container) => {
  test("loses no line of its log: the driver's mode is blocking, as ECS's own default is not", () => {
    expect(container.LogConfiguration.Options["mode"]).toBe("blocking");
    expect(container.LogConfiguration.Options).not.toContainKey("max-buffer-size");
  });

  test("runs without root, without capabilities, on a read-only root", () => {
    expect(container.User).toBe("65532:65532");
    expect(container.ReadonlyRootFilesystem).toBe(true);
    expect(container.LinuxParameters.Capabilities.Drop).toEqual(["ALL"]);
  });

  test("leaves no core dump, which would hold keys and tokens", () => {
    expect(container.Ulimits).toEqual([{ Name: "core", SoftLimit: 0, HardLimit: 0 }]);
  });

  test("is an image by digest", () => {
    const parameter = readTemplate("service").Parameters[container.Image.Ref];
    expect(parameter?.["AllowedPattern"]).toBe(".+@sha256:[0-9a-f]{64}");
    expect(parameter).not.toContainKey("Default");
  });

  test("says by the healthcheck command whether it is well", () => {
    expect(container.HealthCheck.Command).toEqual(["CMD", "/chinmina-bridge", "healthcheck"]);
  });

  test("is given the time that it takes to stop", () => {
    const standard = VARIABLES.find(({ name }) => name === "SERVER_SHUTDOWN_TIMEOUT_SECS");
    const shutdown = standard?.presence === "defaulted" ? Number(standard.default) : Number.NaN;
    expect(container.StopTimeout).toBeGreaterThan(setting(container.Environment, "SERVER_DRAIN_DELAY_SECS") + shutdown);
  });

  test("has its secrets from Secrets Manager, none in its definition", () => {
    const secret = new Set(VARIABLES.filter((variable) => variable.secret).map(({ name }) => name));
    const plain = container.Environment.flatMap(branches).map((entry) => v.parse(Variable, entry).Name);
    expect(plain.filter((name) => secret.has(name))).toEqual([]);
    expect(container.Secrets.map(({ Name }) => Name)).toEqual(["BUILDKITE_API_TOKEN"]);
  });
});

test("no service lets anybody open a shell in a task, or gives a task a public address", () => {
  for (const { resource } of shippedResources("AWS::ECS::Service")) {
    expect(resource.Properties).toMatchObject({
      EnableExecuteCommand: false,
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: "DISABLED" } },
    });
  }
});

test("every log group keeps its entries for a year at least", () => {
  const groups = shippedResources("AWS::Logs::LogGroup");
  expect(groups).not.toBeEmpty();
  for (const { stack, resource } of groups) {
    const { Ref: parameter } = v.parse(v.object({ Ref: v.string() }), resource.Properties?.["RetentionInDays"]);
    const allowed = v.parse(v.array(v.number()), readTemplate(stack).Parameters[parameter]?.["AllowedValues"]);
    expect(Math.min(...allowed)).toBeGreaterThanOrEqual(365);
  }
});
