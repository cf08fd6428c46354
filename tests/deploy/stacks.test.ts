import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { REQUEST_DEADLINE_MS } from "../../src/http/in-flight.ts";
import { readTemplate, shippedTemplates, STACKS, templateText, type StackName } from "../support/cloudformation.ts";

const importsOf = (stack: StackName): string[] =>
  [...templateText(stack).matchAll(/Fn::ImportValue: !Sub "\$\{Name\}-(\w+)"/g)].map((match) => match[1] ?? "");
const exportsOf = (stack: StackName): string[] =>
  Object.entries(readTemplate(stack).Outputs).flatMap(([name, output]) => (output.Export === undefined ? [] : [name]));

describe("the templates", () => {
  test("are the four that are documented", () => {
    expect(shippedTemplates().sort()).toEqual(STACKS.map((name) => `${name}.yaml`).sort());
  });

  test.each(STACKS)("%s imports nothing that no earlier stack exports", (stack) => {
    const earlier = new Set(STACKS.slice(0, STACKS.indexOf(stack)).flatMap(exportsOf));
    expect(importsOf(stack).filter((name) => !earlier.has(name))).toEqual([]);
  });

  test.each(STACKS)("%s exports under its output's own name", (stack) => {
    for (const [name, { Export }] of Object.entries(readTemplate(stack).Outputs)) {
      if (Export !== undefined) expect(Export.Name).toEqual({ "Fn::Sub": `\${Name}-${name}` });
    }
  });

  test("give each parameter of the same name the same rules", () => {
    const rules = new Map<string, string>();
    for (const stack of STACKS) {
      for (const [name, parameter] of Object.entries(readTemplate(stack).Parameters)) {
        const text = JSON.stringify(parameter);
        expect(`${name} ${rules.get(name) ?? text}`).toBe(`${name} ${text}`);
        rules.set(name, text);
      }
    }
  });
});

test.each([
  ["chinmina", true],
  ["ci-tokens-2", true],
  ["a", false],
  ["abcdefghijklmnopqrstu", false],
  ["chinmina-", false],
  ["chin--mina", false],
  ["2tokens", false],
  ["Chinmina", false],
])("the name %s, which load balancers, caches and repositories have to take, is legal: %p", (name, isLegal) => {
  const rules = v.object({ AllowedPattern: v.string(), MinLength: v.number(), MaxLength: v.number() });
  const { AllowedPattern, MinLength, MaxLength } = v.parse(rules, readTemplate("network").Parameters["Name"]);
  const fits = new RegExp(`^(?:${AllowedPattern})$`).test(name);
  expect(fits && name.length >= MinLength && name.length <= MaxLength).toBe(isLegal);
});

test("the cache's user may do what docs/valkey.md says the service does, and no more", async () => {
  const page = await Bun.file(new URL("../../docs/valkey.md", import.meta.url)).text();
  const documented = /^(on ~\* -@all .*)$/m.exec(page)?.[1];
  expect(readTemplate("cache").Resources["CacheUser"]?.Properties?.["AccessString"]).toBe(documented);
});

test("the load balancer gives up idle connections before the service does", () => {
  expect(readTemplate("service").Resources["LoadBalancer"]?.Properties?.["LoadBalancerAttributes"]).toContainEqual({
    Key: "idle_timeout.timeout_seconds",
    Value: "60",
  });
});

test("a first deployment that fails can be taken back: nothing protects the load balancer until that is asked for", () => {
  const { Parameters, Resources } = readTemplate("service");
  expect(Parameters["DeletionProtection"]).toMatchObject({ Default: "false", AllowedValues: ["true", "false"] });
  expect(Resources["LoadBalancer"]?.Properties?.["LoadBalancerAttributes"]).toContainEqual({
    Key: "deletion_protection.enabled",
    Value: { Ref: "DeletionProtection" },
  });
});

test("a task that goes is left its connections for longer than a request can take", () => {
  const attributes = readTemplate("service").Resources["TargetGroup"]?.Properties?.["TargetGroupAttributes"];
  const delays = v.parse(v.array(v.object({ Key: v.string(), Value: v.string() })), attributes);
  const delay = delays.find(({ Key }) => Key === "deregistration_delay.timeout_seconds");
  expect(Number(delay?.Value) * 1000).toBeGreaterThan(REQUEST_DEADLINE_MS);
});
