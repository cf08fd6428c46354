import type { AwsStage } from "../app/aws.ts";
import { openSharedStore } from "../app/shared-store.ts";
import type { ValkeyConfiguration } from "../config/configuration.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Failure, FailureReason } from "../valkey/failure.ts";
import type { SharedStore, StoreStatus } from "../valkey/shared-store.ts";
import { type Check, failed, type Finding, ok } from "./check.ts";
import { examine, type Examination, type Explain } from "./examine.ts";
import { explainFault } from "./explain-fault.ts";
import type { ProblemCode } from "./remedies.ts";

const LIFE_SECONDS = 10;

/** Whether tokens could be shared: the connection with TLS and credentials, then what the service asks of the server, on a key of its own. */
export async function checkValkey(valkey: ValkeyConfiguration, aws: AwsStage, clock: Clock): Promise<Check> {
  await using opened = new AsyncDisposableStack();
  const { check } = await examine("Valkey", clock, async ({ run, skip }) => {
    let refusal: Failure | undefined;
    const store = await run(
      "connection",
      async () => {
        const made = opened.use(
          await openSharedStore(valkey, aws, clock, (event) => {
            if (event.kind === "command-refused") refusal = event.failure;
          }),
        );
        return judgeConnection(valkey, made, await made.firstStatus());
      },
      explainOpening,
    );
    if (store === undefined) return skip("commands", "there is no connection");
    await checkCommands(store, `${valkey.keyPrefix}doctor:${crypto.randomUUID()}`, run, () => refusal);
  });
  return check;
}

const explainOpening: Explain = (error) =>
  error instanceof BridgeError && error.code === "unreadable-file"
    ? failed("valkey-ca-unreadable", error.message)
    : explainFault({
        unavailable: "valkey-credentials",
        refused: "valkey-credentials",
        malformed: "valkey-credentials",
      })(error);

function judgeConnection(
  { host, port, tls, authentication }: ValkeyConfiguration,
  store: SharedStore,
  { state, failure }: StoreStatus,
): Finding<SharedStore> {
  if (state !== "up") return failedFor(failure);
  const way = tls.enabled ? "with TLS" : "in clear";
  const who = { none: "without authentication", password: "with a password", iam: "with an IAM token" };
  return ok(`${host}, port ${port}, ${way}, ${who[authentication.kind]}`, store);
}

/** What the service does with an entry, in the order in which it does it. */
async function checkCommands(
  store: SharedStore,
  key: string,
  run: Examination["run"],
  refusal: () => Failure | undefined,
): Promise<void> {
  const value = crypto.randomUUID();
  const owner = crypto.randomUUID();
  const verdict = (done: boolean, detail: string): Finding<true> =>
    done ? ok(detail, true) : failedFor(refusal() ?? store.status().failure);
  const written = await run("SET", async () =>
    verdict(await store.write(key, value, LIFE_SECONDS), "an entry was written"),
  );
  if (written === undefined) return;
  await run("GET and PTTL", async () => {
    const reading = await store.read(key);
    if (reading.kind === "unavailable") return failedFor(reading.failure);
    const isSame = reading.kind === "hit" && Buffer.from(reading.value).toString() === value;
    if (isSame) return ok("it was read back", undefined);
    return failed("valkey-value-differs", `the entry that was just written is ${describe(reading.kind)}`);
  });
  await run("SET NX GET", async () => {
    const outcome = await store.claim(`${key}:claim`, owner, LIFE_SECONDS * 1000);
    return verdict(outcome === "won", "a claim was taken");
  });
  await store.release(`${key}:claim`, owner);
  await run("DEL", async () => verdict(await store.remove(key), "the entry was removed"));
}

function describe(kind: "hit" | "miss" | "wrong-type"): string {
  return { hit: "another", miss: "not there", "wrong-type": "of another type" }[kind];
}

function failedFor(failure: Failure | undefined): Finding<never> {
  if (failure === undefined) return failed("valkey-slow", "no answer within 250 ms");
  return failed(CODES[failure.reason], failure.detail);
}

/** A connection that falls silent is noticed after longer than this takes: here it is slow. */
const CODES: Readonly<Record<FailureReason, ProblemCode>> = {
  credentials: "valkey-credentials",
  dns: "valkey-dns",
  refused: "valkey-unreachable",
  unreachable: "valkey-unreachable",
  timeout: "valkey-timeout",
  tls: "valkey-tls",
  wrongpass: "valkey-wrongpass",
  noauth: "valkey-noauth",
  loading: "valkey-loading",
  handshake: "valkey-handshake",
  noperm: "valkey-noperm",
  readonly: "valkey-readonly",
  clusterdown: "valkey-clusterdown",
  outofmemory: "valkey-outofmemory",
  rejected: "valkey-rejected",
  closed: "valkey-closed",
  silent: "valkey-slow",
  slow: "valkey-slow",
  protocol: "valkey-protocol",
};
