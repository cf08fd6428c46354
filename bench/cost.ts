/**
 * What the service needs and costs for 100, 10,000 and 1,000,000 jobs a day, calculated from what was measured (bench/results) and from
 * the assumptions and prices below. Measures nothing.
 *
 *   bun bench/cost.ts
 */
import { join } from "node:path";
import { RESULTS } from "./load/options.ts";
import { count, percent, publish } from "./load/report.ts";

const JOBS_A_DAY = [100, 10_000, 1_000_000];

/** Clone, submodules or plugins, a package, a comment: what one job asks for. The first brings a JWT that was never seen. */
const REQUESTS_PER_JOB = 4;
const JOBS_PER_PIPELINE_A_DAY = 200;
/** Its own repository, and for every second pipeline one profile more. */
const PROFILES_PER_PIPELINE = 1.5;
/** docs/decisions/cache-lifetimes.md */
const TOKEN_LIFE_MINUTES = 45;
const WORKING_HOURS = 10;
const BUSIEST_HOUR_OF_DAY = 0.2;
const BUSIEST_SECOND_OF_HOUR = 5;
/** Two tasks in two zones; either alone must carry the busiest second in half of its CPU. */
const TASKS = 2;
const MOST_CPU_SHARE = 0.5;
/** A Fargate core is taken for half as fast as one of the machine that was measured on. */
const SLOWER_CORE = 2;
const MEMORY_GB = 0.5;
const FARGATE_VCPU = [0.25, 0.5, 1];

/** us-east-1, Linux on ARM, on demand. Source: aws.amazon.com/fargate/pricing, as quoted by vantage.sh/blog/fargate-pricing, 2026-11. */
const DOLLARS_PER_VCPU_HOUR = 0.03238;
const DOLLARS_PER_GB_HOUR = 0.00356;
/** Source: aws.amazon.com/kms/pricing, 2026-11. RSA_2048 signatures cost what symmetric requests do. */
const DOLLARS_PER_KMS_KEY_MONTH = 1;
const DOLLARS_PER_KMS_REQUEST = 0.03 / 10_000;
/** us-east-1, standard class. Source: aws.amazon.com/cloudwatch/pricing, 2026-11. */
const DOLLARS_PER_LOG_GB = 0.5;
const HOURS_PER_MONTH = 730;
const DAYS_PER_MONTH = HOURS_PER_MONTH / 24;

/** A signature every 6 minutes for an App, one reading of the keyset every 15, in each task (docs/kms.md, docs/encryption.md). */
const KMS_CALLS_A_DAY = TASKS * (24 * 10 + 24 * 4);
const KMS_KEYS = 2;
/** Of an installation: 5,000 an hour at least, 15,000 in an enterprise. Source: docs.github.com, "Rate limits for GitHub Apps". */
const GITHUB_LEAST_PER_HOUR = 5000;
const GITHUB_ENTERPRISE_PER_HOUR = 15_000;

const figures = await readFigures("cached-token");
const repeatedUs = figure("token, 2,000 JWTs; bridge; cpuUs");
const newUs = figure("token, every JWT new; bridge; cpuUs");
const lineBytes = figure("lineBytes");
const uncachedUs = (await readFigures("uncached"))["cpuUs"] ?? Number.NaN;

const rows = JOBS_A_DAY.map((jobs) => {
  const requests = jobs * REQUESTS_PER_JOB;
  const pipelines = Math.max(1, jobs / JOBS_PER_PIPELINE_A_DAY);
  const keys = pipelines * PROFILES_PER_PIPELINE;
  const tokensPerHour = Math.min((keys * 60) / TOKEN_LIFE_MINUTES, requests * BUSIEST_HOUR_OF_DAY);
  const tokens = Math.min(tokensPerHour * WORKING_HOURS, requests);
  const busiestSecond = Math.max(1, (requests * BUSIEST_HOUR_OF_DAY * BUSIEST_SECOND_OF_HOUR) / 3600);
  const cpuUs = (newUs + repeatedUs * (REQUESTS_PER_JOB - 1)) / REQUESTS_PER_JOB + (uncachedUs * tokens) / requests;
  const cores = (busiestSecond * cpuUs * SLOWER_CORE) / 1e6;
  const vcpu = FARGATE_VCPU.find((size) => cores <= size * MOST_CPU_SHARE) ?? Number.NaN;
  const fargate = TASKS * HOURS_PER_MONTH * (vcpu * DOLLARS_PER_VCPU_HOUR + MEMORY_GB * DOLLARS_PER_GB_HOUR);
  const kms = KMS_KEYS * DOLLARS_PER_KMS_KEY_MONTH + KMS_CALLS_A_DAY * DAYS_PER_MONTH * DOLLARS_PER_KMS_REQUEST;
  const logs = ((requests * lineBytes) / 1e9) * DAYS_PER_MONTH * DOLLARS_PER_LOG_GB;
  return { jobs, requests, tokens, tokensPerHour, busiestSecond, share: cores / vcpu, vcpu, fargate, kms, logs };
});

const dollars = (value: number): string => `$${value.toFixed(2)}`;
const line = (name: string, of: (row: (typeof rows)[number]) => string): string[] => [name].concat(rows.map(of));
publish({
  name: "cost",
  table: {
    columns: ["jobs a day", ...JOBS_A_DAY.map(count)],
    labels: 1,
    rows: [
      line("requests a day", (row) => count(row.requests)),
      line("requests in the busiest second", (row) => count(row.busiestSecond)),
      line("tokens made a day", (row) => count(row.tokens)),
      line("calls to GitHub in the busiest hour", (row) => count(row.tokensPerHour)),
      line("... of the least limit GitHub grants", (row) => percent(row.tokensPerHour / GITHUB_LEAST_PER_HOUR)),
      line("... of an enterprise's", (row) => percent(row.tokensPerHour / GITHUB_ENTERPRISE_PER_HOUR)),
      line("calls to KMS a day", () => count(KMS_CALLS_A_DAY)),
      line("Fargate tasks", ({ vcpu }) => `${TASKS} of ${vcpu} vCPU, ${MEMORY_GB * 1024} MiB`),
      line("CPU of a task that is left alone, busiest second", (row) => percent(row.share)),
      line("Fargate a month", (row) => dollars(row.fargate)),
      line("KMS a month", (row) => dollars(row.kms)),
      line("CloudWatch Logs a month: the audit lines", (row) => dollars(row.logs)),
    ],
  },
  notes: {
    "measured CPU": `${repeatedUs.toFixed(1)} us a request, ${newUs.toFixed(1)} with a new JWT, ${uncachedUs.toFixed(0)} for a token that is made`,
    "measured audit line": `${count(lineBytes)} bytes`,
    "not in it": "load balancer, Valkey, network",
  },
});

async function readFigures(name: string): Promise<Readonly<Record<string, number | null>>> {
  const content: { figures: Record<string, number | null> } = await Bun.file(join(RESULTS, `${name}.json`)).json();
  return content.figures;
}

function figure(name: string): number {
  const value = figures[name];
  if (typeof value !== "number")
    throw new Error(`bench/results has no figure "${name}": run bench/cached-token.ts first`);
  return value;
}
