import * as fc from "fast-check";
import type { PurgeScope } from "../../../src/purge/purge-scope.ts";
import { KEYSETS } from "./keysets.ts";
import { PIPELINES, type PipelineName, type PolicyIndex } from "./policies.ts";
import type { Simulation, Tampering, Who, Wish } from "./simulation.ts";

/** What the commands themselves remember: what can be changed, so that a command that would change nothing is left out. */
export interface Plan {
  readonly isDown: Set<Who>;
  readonly refused: Set<string>;
  keysetStage: number;
}

type Command = fc.AsyncCommand<Plan, Simulation>;

function command(
  name: string,
  run: (simulation: Simulation, plan: Plan) => unknown,
  check: (plan: Plan) => boolean = () => true,
): Command {
  return {
    check,
    run: async (plan, simulation) => {
      await run(simulation, plan);
      const violation = simulation.violation();
      if (violation !== undefined) throw new Error(violation);
    },
    toString: () => name,
  };
}

const who = fc.constantFrom<Who>(0, 1);
/** One of them more often than the others: most of what can go wrong needs the same key again. */
const pipeline = fc.constantFrom<PipelineName>("alpha", "alpha", "alpha", ...PIPELINES);
const upstream = fc.constantFrom("github" as const, "buildkite" as const);
const scope: fc.Arbitrary<PurgeScope> = fc.oneof(
  fc.constant({ kind: "all" } as const),
  pipeline.map((slug) => ({ kind: "pipeline", pipelineId: `id-of-${slug}` }) as const),
  fc.constantFrom("default", "deploy").map((name) => ({ kind: "profile", name }) as const),
);
const wish = fc.constantFrom<Wish>(
  "token",
  "token",
  "token",
  "deploy",
  "deploy",
  "git, own repository",
  "git, new repository",
);
const tampering = fc.constantFrom<Tampering>(
  "put back",
  "put back",
  "swap",
  "garbage",
  "delete",
  "put marker back",
  "delete marker",
);

const ask = fc
  .tuple(who, pipeline, wish)
  .map(([at, of, what]) => command(`ask ${at} for ${of}: ${what}`, (one) => one.ask(at, of, what)));
const visit = fc.tuple(who, pipeline, wish).map(([at, of, what]) =>
  command(`ask ${at} for ${of}: ${what}, all steps`, async (one) => {
    await one.ask(at, of, what);
    await one.step(Infinity);
  }),
);
const step = fc.integer({ min: 1, max: 5 }).map((count) => command(`${count} steps`, (one) => one.step(count)));
const flow = fc.constant(command("all steps", (one) => one.step(Infinity)));
const wait = fc
  .tuple(fc.constantFrom(30, 260, 1_100, 2_100, 5_000, 11_000, 31_000), fc.boolean())
  .map(([ms, isFlowing]) =>
    command(`${ms} ms, network ${isFlowing ? "works" : "stands"}`, (one) => one.wait(ms, isFlowing)),
  );
const leap = fc
  .constantFrom(61_000, 290_000, 310_000, 850_000, 960_000, 1_500_000, 1_900_000)
  .map((ms) => command(`leap ${ms} ms`, (one) => one.leap(ms)));
const condition = fc
  .tuple(upstream, fc.constantFrom("away" as const, "hangs" as const))
  .map(([name, state]) => command(`${name} ${state}`, (one) => (one.outside.condition[name] = state)));
const recover = upstream.map((name) => command(`${name} up`, (one) => (one.outside.condition[name] = "up")));
const refuse = fc.tuple(upstream, fc.constantFrom(...PIPELINES, "organization")).map(([name, whose]) =>
  command(
    `${name} refuses ${whose}`,
    (one, plan) => {
      one.outside.refused[name].add(whose);
      plan.refused.add(`${name} ${whose}`);
    },
    (plan) => !plan.refused.has(`${name} ${whose}`),
  ),
);
const pardon = fc.constant(
  command(
    "nobody is refused any more",
    (one, plan) => {
      one.outside.refused.github.clear();
      one.outside.refused.buildkite.clear();
      plan.refused.clear();
    },
    (plan) => plan.refused.size > 0,
  ),
);
const move = fc
  .tuple(pipeline, fc.boolean())
  .map(([slug, isNew]) =>
    command(`${slug} moves to ${isNew ? "new" : "own"}`, (one) => one.outside.move(slug, isNew ? `new-${slug}` : slug)),
  );
const moveUnseen = pipeline.map((slug) =>
  command(`buildkite away, ${slug} moves to new`, (one) => {
    one.outside.condition.buildkite = "away";
    one.outside.move(slug, `new-${slug}`);
  }),
);
const moveAndAsk = fc.tuple(who, pipeline).map(([at, slug]) =>
  command(`${slug} moves to new, ask ${at} for it: git, new repository`, (one) => {
    one.outside.move(slug, `new-${slug}`);
    return one.ask(at, slug, "git, new repository");
  }),
);
const publish = fc
  .tuple(who, fc.constantFrom<PolicyIndex>(0, 1, 2))
  .map(([at, policy]) => command(`policy ${policy} at ${at}`, (one) => one.at(at).publish(policy)));
const purge = scope.map((one) => command(`purge ${JSON.stringify(one)}`, (simulation) => simulation.purge(one)));
const cut = who.map((at) =>
  command(
    `store away from ${at}`,
    (one, plan) => {
      one.at(at).line.isUp = false;
      plan.isDown.add(at);
    },
    (plan) => !plan.isDown.has(at),
  ),
);
const mend = who.map((at) =>
  command(
    `store back for ${at}`,
    (one, plan) => {
      one.at(at).line.isUp = true;
      plan.isDown.delete(at);
    },
    (plan) => plan.isDown.has(at),
  ),
);
const tamper = fc
  .tuple(tampering, fc.nat({ max: 6 }))
  .map(([how, which]) => command(`${how} ${which}`, (one) => one.tamper(how, which)));
const rotate = fc.constant(
  command(
    "rotation goes on",
    (one, plan) => {
      one.keysets.stage = ++plan.keysetStage;
    },
    (plan) => plan.keysetStage < KEYSETS.length - 1,
  ),
);
const keysets = fc
  .boolean()
  .map((is) => command(`keyset ${is ? "reachable" : "out of reach"}`, (one) => (one.keysets.isReachable = is)));
const restart = who.map((at) =>
  command(`restart ${at}`, (one, plan) => {
    plan.isDown.delete(at);
    return one.restart(at);
  }),
);
const announce = fc
  .tuple(who, fc.boolean())
  .map(([at, can]) => command(`${at} ${can ? "can" : "cannot"} announce`, (one) => (one.at(at).canAnnounce = can)));

const LONGEST_RUN = 40;

const OFTEN = [ask, visit, ask, visit, ask, visit, step, wait, leap];
const SELDOM = [flow, condition, recover, recover, recover, refuse, pardon, publish, purge, cut, mend, mend, restart];
const RARE = [move, moveUnseen, moveAndAsk, tamper, rotate, keysets, announce];

/** What happens in one run, in proportion to how often it stands here. Without bias: short runs meet nothing. */
export const commands: fc.Arbitrary<Iterable<Command>> = fc.noBias(
  fc.commands([...OFTEN, ...OFTEN, ...SELDOM, ...RARE], { maxCommands: LONGEST_RUN, size: "max" }),
);

export function createPlan(): Plan {
  return { isDown: new Set(), refused: new Set(), keysetStage: 0 };
}
