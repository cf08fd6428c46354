/**
 * What the service depends on. GitHub has three parts: it makes tokens, holds the policy, and tells whose an installation is; KMS has two: it
 * signs for the App, and opens the keyset.
 */
export const UPSTREAMS = [
  "oidc",
  "buildkite",
  "github tokens",
  "github contents",
  "github installation",
  "kms sign",
  "kms keyset",
  "secrets manager",
  "ecs credentials",
  "valkey",
] as const;
export type Upstream = (typeof UPSTREAMS)[number];

/** Of the connection, whatever is spoken on it. */
export const CONNECTION_FAULTS = [
  "refuse",
  "hang",
  "slow drip",
  "reset mid-body",
  "truncated",
  "garbage",
  "expired certificate",
  "certificate of another name",
  "certificate of a stranger",
  "dns",
] as const;

/** Answers in HTTP that are complete. */
export const ANSWER_FAULTS = [
  "400",
  "401",
  "403",
  "403 primary limit",
  "403 secondary limit",
  "404",
  "422",
  "429",
  "429 with retry-after",
  "500",
  "502",
  "503",
  "503 with retry-after",
  "redirect",
  "not json",
  "wrong type",
  "over-long",
] as const;

/** What AWS says with 400 that is no refusal. */
export const AWS_FAULTS = ["throttling"] as const;

/** Valkey's own answers. */
export const VALKEY_FAULTS = [
  "wrongpass",
  "noperm",
  "loading",
  "readonly",
  "out of memory",
  "reply of another type",
  "over-long value",
] as const;

export const FAULTS = [...CONNECTION_FAULTS, ...ANSWER_FAULTS, ...AWS_FAULTS, ...VALKEY_FAULTS] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * - `cold`: the service is up, and has nothing yet that the request needs of this upstream
 * - `hot`: the same request has been served before
 * - `renewing`: what was had of the upstream is due for renewal
 * - `starting`: the fault is there before the service is
 */
export const STAGES = ["cold", "hot", "renewing", "starting"] as const;
export type Stage = (typeof STAGES)[number];

export interface Cell {
  readonly upstream: Upstream;
  readonly fault: Fault;
  readonly stage: Stage;
}

export interface ImpossibleCell extends Cell {
  readonly reason: string;
}

const KMS_AND_SECRETS: ReadonlySet<Upstream> = new Set<Upstream>(["kms sign", "kms keyset", "secrets manager"]);

export function isAws(upstream: Upstream): boolean {
  return upstream === "ecs credentials" || KMS_AND_SECRETS.has(upstream);
}

/** Nothing of the request has been said when these befall. */
const WHOLE_HOST: readonly Fault[] = [
  "refuse",
  "expired certificate",
  "certificate of another name",
  "certificate of a stranger",
];

/** Where GitHub is asked for a token too. */
const NEEDING_TOKENS: Partial<Record<Upstream, readonly Stage[]>> = {
  "github contents": ["cold"],
  "github installation": ["renewing", "starting"],
};

/** Why there is no such cell; undefined when there is. */
export function impossibility({ upstream, fault, stage }: Cell): string | undefined {
  const isValkeyFault = isOneOf(VALKEY_FAULTS, fault);
  if (upstream === "valkey" && (isOneOf(ANSWER_FAULTS, fault) || isOneOf(AWS_FAULTS, fault)))
    return "Valkey does not speak HTTP; its own answers are faults of their own";
  if (upstream !== "valkey" && isValkeyFault) return "an answer that Valkey alone gives";
  if (isOneOf(AWS_FAULTS, fault) && !KMS_AND_SECRETS.has(upstream)) return "an error of AWS's JSON services alone";
  if (fault === "403 primary limit" || fault === "403 secondary limit") {
    if (!upstream.startsWith("github")) return "GitHub alone says so with 403";
  }
  if (isOneOf(WHOLE_HOST, fault) && (NEEDING_TOKENS[upstream] ?? []).includes(stage))
    return "GitHub as a whole is meant, and the request needs a token: the cell of github tokens";
  if (fault === "dns") return impossibleName(upstream, stage);
  return undefined;
}

function impossibleName(upstream: Upstream, stage: Stage): string | undefined {
  if (upstream === "kms sign" && stage === "starting")
    return "a name of the environment cannot come back while the process runs";
  const isFixed = upstream === "valkey" || KMS_AND_SECRETS.has(upstream);
  const isKnownByThen = stage === "hot" || stage === "renewing" || (stage === "cold" && upstream !== "kms sign");
  return isFixed && isKnownByThen
    ? "the client has looked the name up by then; a name that is lost later is a refused connection to it"
    : undefined;
}

function isOneOf(list: readonly Fault[], fault: Fault): boolean {
  return list.includes(fault);
}

/** Every combination, told apart into those that are run and those that cannot be. */
export function generateMatrix(): { readonly cells: readonly Cell[]; readonly impossible: readonly ImpossibleCell[] } {
  const cells: Cell[] = [];
  const impossible: ImpossibleCell[] = [];
  for (const upstream of UPSTREAMS)
    for (const fault of FAULTS)
      for (const stage of STAGES) {
        const cell = { upstream, fault, stage };
        const reason = impossibility(cell);
        if (reason === undefined) cells.push(cell);
        else impossible.push({ ...cell, reason });
      }
  return { cells, impossible };
}

export function nameOf({ upstream, fault, stage }: Cell): string {
  return `${upstream}, ${fault}, ${stage}`;
}
