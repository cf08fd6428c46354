import { mkdtempSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";
import { isAws, type Cell } from "../lists.ts";
import type { CellResult, Job } from "../run-cells.ts";
import { SLOW } from "./cell-run.ts";
import type { Form } from "./subject.ts";
import { POLICY } from "./surroundings.ts";

const RUNNER = join(import.meta.dir, "../run-cells.ts");
/** Cells wait more than they work. AWS's settings are a process's own, so those cells run one after the other in each of several. */
const AWS_PROCESSES = availableParallelism() + 1;
const OTHERS_AT_ONCE = 2 * availableParallelism();

/** Runs the cells in a few processes; resolves with all results, in the order of the cells. */
export async function runMatrix(cells: readonly Cell[], form: Form): Promise<readonly CellResult[]> {
  const authority = createCertificateAuthority();
  const strangers = createCertificateAuthority();
  const policyFile = join(authority.folder, "policy.yaml");
  writeFileSync(policyFile, POLICY);
  const common = {
    form,
    certificates: {
      good: authority.issue("good", ["localhost", "IP:127.0.0.1"]),
      expired: authority.issue("expired", ["localhost", "IP:127.0.0.1"], -1),
      otherName: authority.issue("other-name", ["elsewhere.example"]),
      stranger: strangers.issue("stranger", ["localhost", "IP:127.0.0.1"]),
    },
    caFile: authority.caFile,
    policyFile,
  };
  const aws = cells.filter(({ upstream }) => isAws(upstream));
  const others = cells.filter(({ upstream }) => !isAws(upstream));
  const shards = Array.from({ length: AWS_PROCESSES }, (_, shard) =>
    aws.filter((__, index) => index % AWS_PROCESSES === shard),
  );
  const results = await Promise.all([
    ...shards.map((shard) => run({ ...common, cells: shard, atOnce: 1 })),
    run({ ...common, cells: others, atOnce: OTHERS_AT_ONCE }),
  ]);
  const first = results.flat();
  const late = first.filter(({ problems }) => problems.some((one) => one.startsWith(SLOW)));
  if (late.length === 0) return first;
  // Scaled time makes a busy machine look like a slow service; alone, a cell has no such excuse.
  console.log(`${late.length} cells were too slow: once more, alone`);
  const again = await run({ ...common, cells: late.map(({ cell }) => cell), atOnce: 1 });
  return [...first.filter((result) => !late.includes(result)), ...again];
}

async function run(job: Job): Promise<readonly CellResult[]> {
  if (job.cells.length === 0) return [];
  const child = Bun.spawn([process.execPath, RUNNER], {
    env: {
      PATH: process.env["PATH"] ?? "",
      NODE_EXTRA_CA_CERTS: job.caFile,
      // Clients and upstreams are in the same process: many of their calls are under way at once.
      BUN_CONFIG_MAX_HTTP_REQUESTS: "4000",
    },
    cwd: mkdtempSync(join(job.caFile, "../run-")),
    stdin: Buffer.from(JSON.stringify(job)),
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await child.stdout.text();
  await child.exited;
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}
