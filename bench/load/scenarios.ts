import type { Surroundings } from "./surroundings.ts";
import { writeWorkload, type AskedRequest, type Workload } from "./wrk.ts";

/** One kind of load, for every contender. */
export interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly workload: Workload;
}

/** More than the service remembers, sent in turn: none is ever met again while it is remembered. */
const NEVER_REPEATED = 20_000;
const GIT_REQUEST = "protocol=https\nhost=github.com\npath=acme/widget.git\n\n";

/** What is answered from memory: each request but the first of its kind. */
export function cachedScenarios(folder: string, { repeat }: Surroundings): Scenario[] {
  const write = (name: string, requests: readonly AskedRequest[]): Workload => writeWorkload(folder, name, requests);
  const many = write("token", repeat(2000, "/token"));
  return [
    { name: "token, one JWT", connections: 32, workload: write("one", repeat(1, "/token")) },
    { name: "token, 2,000 JWTs", connections: 32, workload: many },
    { name: "token, 2,000 JWTs, 1 connection", connections: 1, workload: many },
    { name: "token, 2,000 JWTs, 512 connections", connections: 512, workload: many },
    { name: "token, every JWT new", connections: 32, workload: write("new", repeat(NEVER_REPEATED, "/token")) },
    {
      name: "git credentials, 2,000 JWTs",
      connections: 32,
      workload: write("git", repeat(2000, "/git-credentials", GIT_REQUEST)),
    },
    {
      name: "organization profile, 2,000 JWTs",
      connections: 32,
      workload: write("organization", repeat(2000, "/organization/token/plugins")),
    },
  ];
}
