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
/** Its own repository, and for every second pipeline one pipeline profile more. */
const PROFILES_PER_PIPELINE = 1.5;
/**
 * A token that is in use is renewed when 40 to 50 % of its 45 minutes are over (docs/decisions/cache-lifetimes.md, src/cache/lifetimes.ts),
 * and every token is taken to be in use all the working day. The tasks share tokens through Valkey.
 */
const MINUTES_BETWEEN_TOKENS = 45 * 0.45;
const WORKING_HOURS = 10;
const BUSIEST_HOUR_OF_DAY = 0.2;
const BUSIEST_MINUTE_OF_HOUR = 2;
const BUSIEST_SECOND_OF_HOUR = 5;
/** Two tasks in two zones; either alone must carry the busiest second in half of its CPU. */
const TASKS = 2;
/** What finds no room is renewed when it is used next (src/cache/renewals.ts). */
const MOST_RENEWALS_A_MINUTE = TASKS * 4 * 60;
const MOST_CPU_SHARE = 0.5;
/** A Fargate core is taken for half as fast as one of the machine that was measured on. */
const SLOWER_CORE = 2;
/** With the least memory that each can have. Source: docs.aws.amazon.com/AmazonECS, "task definition differences for Fargate". */
const FARGATE_SIZES = [
  { vcpu: 0.25, gb: 0.5 },
  { vcpu: 0.5, gb: 1 },
  { vcpu: 1, gb: 2 },
] as const;

/**
 * Prices of 2026-11 without free tiers. The pages of AWS fill in what depends on the region by script; where a price is not in their text,
 * it is taken from a page that quotes it.
 *
 * us-east-1, Linux on ARM, on demand: aws.amazon.com/fargate/pricing, as quoted by vantage.sh/blog/fargate-pricing.
 */
const DOLLARS_PER_VCPU_HOUR = 0.03238;
const DOLLARS_PER_GB_HOUR = 0.00356;
/** A key: the text of aws.amazon.com/kms/pricing. A request, with RSA_2048 as symmetric: as quoted by wring.co/blog/aws-kms-pricing-guide. */
const DOLLARS_PER_KMS_KEY_MONTH = 1;
const DOLLARS_PER_KMS_REQUEST = 0.03 / 10_000;
/** us-east-1, standard class, ingestion: aws.amazon.com/cloudwatch/pricing, as quoted by coralogix.com/blog/is-cloudwatch-really-cost-efficient. */
const DOLLARS_PER_LOG_GB = 0.5;
const HOURS_PER_MONTH = 730;
const DAYS_PER_MONTH = HOURS_PER_MONTH / 24;

/** In each task: a signature every 4 minutes for an App in use, one reading of the keyset every 12 to 15 (docs/kms.md, docs/resilience.md). */
const KMS_CALLS_A_DAY = TASKS * 24 * (60 / 4 + 60 / 13.5);
const KMS_KEYS = 2;
/**
 * Of an installation: 5,000 an hour at least, with many users and repositories up to 12,500, in an enterprise 15,000.
 * Source: docs.github.com, "Rate limits for GitHub Apps".
 */
const GITHUB_LEAST_PER_HOUR = 5000;
const GITHUB_ENTERPRISE_PER_HOUR = 15_000;
/** Beyond, tokens are no longer renewed ahead of time (docs/resilience.md). */
const GITHUB_SHARE_WITH_RENEWALS = 0.75;
/**
 * Calls to the REST API: of an organization with all its users, and of one user unless the organization is granted more. The service is one
 * user, and asks for the repository whenever a token of a pipeline profile is made. Source: buildkite.com/docs/apis/rest-api/rate-limits, 2026-11.
 */
const BUILDKITE_PER_MINUTE = 200;
const BUILDKITE_USER_PER_MINUTE = 50;

const figures = await readFigures("cached-token");
const repeatedUs = figure("token, 2,000 JWTs; bridge; cpuUs");
const newUs = figure("token, every JWT new; bridge; cpuUs");
const lineBytes = figure("lineBytes");
const uncachedUs = (await readFigures("uncached"))["0 ms; bridge; cpuUs"] ?? Number.NaN;

const rows = JOBS_A_DAY.map((jobs) => {
  const requests = jobs * REQUESTS_PER_JOB;
  const pipelines = Math.max(1, jobs / JOBS_PER_PIPELINE_A_DAY);
  const keys = pipelines * PROFILES_PER_PIPELINE;
  const tokensPerHour = Math.min((keys * 60) / MINUTES_BETWEEN_TOKENS, requests * BUSIEST_HOUR_OF_DAY);
  const tokens = Math.min(tokensPerHour * WORKING_HOURS, requests);
  const busiestMinute = Math.max(1, Math.min((tokensPerHour / 60) * BUSIEST_MINUTE_OF_HOUR, MOST_RENEWALS_A_MINUTE));
  const busiestSecond = Math.max(1, (requests * BUSIEST_HOUR_OF_DAY * BUSIEST_SECOND_OF_HOUR) / 3600);
  const cpuUs = (newUs + repeatedUs * (REQUESTS_PER_JOB - 1)) / REQUESTS_PER_JOB + (uncachedUs * tokens) / requests;
  const cores = (busiestSecond * cpuUs * SLOWER_CORE) / 1e6;
  const size = FARGATE_SIZES.find(({ vcpu }) => cores <= vcpu * MOST_CPU_SHARE);
  if (size === undefined) throw new Error(`${jobs} jobs a day need more than ${TASKS} tasks of one core`);
  const fargate = TASKS * HOURS_PER_MONTH * (size.vcpu * DOLLARS_PER_VCPU_HOUR + size.gb * DOLLARS_PER_GB_HOUR);
  const kms = KMS_KEYS * DOLLARS_PER_KMS_KEY_MONTH + KMS_CALLS_A_DAY * DAYS_PER_MONTH * DOLLARS_PER_KMS_REQUEST;
  const lines = requests + tokens;
  const logs = ((lines * lineBytes) / 1e9) * DAYS_PER_MONTH * DOLLARS_PER_LOG_GB;
  const share = cores / size.vcpu;
  return { requests, tokens, tokensPerHour, busiestMinute, busiestSecond, share, size, fargate, kms, logs };
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
      line("Apps to share them, for renewals not to stop: at the least limit, at an enterprise's", (row) =>
        [GITHUB_LEAST_PER_HOUR, GITHUB_ENTERPRISE_PER_HOUR]
          .map((limit) => Math.ceil(row.tokensPerHour / (limit * GITHUB_SHARE_WITH_RENEWALS)))
          .join(", "),
      ),
      line("calls to Buildkite in the busiest minute", (row) => count(row.busiestMinute)),
      line("... of an organization's limit", (row) => percent(row.busiestMinute / BUILDKITE_PER_MINUTE)),
      line("... of one user's", (row) => percent(row.busiestMinute / BUILDKITE_USER_PER_MINUTE)),
      line("calls to KMS a day, at most", () => count(KMS_CALLS_A_DAY)),
      line("Fargate tasks", ({ size }) => `${TASKS} of ${size.vcpu} vCPU, ${size.gb * 1024} MiB`),
      line("CPU of a task that is left alone, busiest second", (row) => percent(row.share)),
      line("Fargate a month", (row) => dollars(row.fargate)),
      line("KMS a month", (row) => dollars(row.kms)),
      line("CloudWatch Logs a month: the audit lines", (row) => dollars(row.logs)),
    ],
  },
  notes: {
    "measured CPU": `${repeatedUs.toFixed(1)} us a request, ${newUs.toFixed(1)} with a new JWT, ${uncachedUs.toFixed(0)} for a token that is made`,
    "measured audit line": `${count(lineBytes)} bytes`,
    "renewals in a minute, at most": `${MOST_RENEWALS_A_MINUTE} by ${TASKS} tasks; those that find no room wait for the next use`,
    "not in it": "load balancer, Valkey, network, free tiers",
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
