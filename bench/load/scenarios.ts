import { FORGOTTEN_AFTER } from "./remembered.ts";
import type { AskedRequest } from "./requests.ts";
import type { Surroundings } from "./surroundings.ts";
import { writeWorkload, type Workload } from "./wrk.ts";

/** One kind of load, for every contender. */
export interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly workload: Workload;
}

/** As many as a busy five minutes have. */
const MANY = 2000;
export const GIT_REQUEST = "protocol=https\nhost=github.com\npath=acme/widget.git\n\n";

export function manyTokens(folder: string, { repeat }: Surroundings): Workload {
  return writeWorkload(folder, "token", repeat(MANY, "/token"));
}

export function newTokens(folder: string, { repeat }: Surroundings): Workload {
  return writeWorkload(folder, "new", repeat(FORGOTTEN_AFTER, "/token"));
}

/** What is answered from memory: each request but the first of its kind. */
export function cachedScenarios(folder: string, surroundings: Surroundings): Scenario[] {
  const write = (name: string, requests: readonly AskedRequest[]): Workload => writeWorkload(folder, name, requests);
  const { repeat } = surroundings;
  const many = manyTokens(folder, surroundings);
  return [
    { name: "token, one JWT", connections: 32, workload: write("one", repeat(1, "/token")) },
    { name: "token, 2,000 JWTs", connections: 32, workload: many },
    { name: "token, 2,000 JWTs, 1 connection", connections: 1, workload: many },
    { name: "token, 2,000 JWTs, 512 connections", connections: 512, workload: many },
    { name: "token, every JWT new", connections: 32, workload: newTokens(folder, surroundings) },
    {
      name: "git credentials, 2,000 JWTs",
      connections: 32,
      workload: write("git", repeat(MANY, "/git-credentials", GIT_REQUEST)),
    },
    {
      name: "organization profile, 2,000 JWTs",
      connections: 32,
      workload: write("organization", repeat(MANY, "/organization/token/plugins")),
    },
  ];
}
