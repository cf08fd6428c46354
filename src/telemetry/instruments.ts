/**
 * What an attribute may be: one of a few words; `text`, which comes from configuration or from an upstream's fixed vocabulary; `number`, as
 * in a status. Never anything that a caller can vary without bound.
 */
type AttributeKind = readonly string[] | "text" | "number";
type AttributeKinds = Readonly<Record<string, AttributeKind>>;

interface InstrumentShape {
  readonly unit: string;
  readonly meaning: string;
  readonly attributes: AttributeKinds;
  /** Attributes that a measurement may lack. */
  readonly sometimes: AttributeKinds;
}

export interface CounterShape extends InstrumentShape {
  readonly kind: "counter";
}
export interface HistogramShape extends InstrumentShape {
  readonly kind: "histogram";
  readonly bounds: readonly number[];
}
export interface GaugeShape extends InstrumentShape {
  readonly kind: "gauge";
}

/** The semantic conventions' bounds for durations in seconds, with finer ones below for what comes from memory. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20] as const;
/** For what takes microseconds to milliseconds. */
const SHORT_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25] as const;
const BYTES = [0, 128, 512, 1024, 4096, 16384, 65536] as const;

const NOTHING = {} as const;
type Nothing = typeof NOTHING;

const SERVER = {
  "http.route": "text",
  "http.request.method": "text",
  "http.response.status_code": "number",
  "url.scheme": "text",
} as const;
const SERVER_ERROR = { "error.type": "text" } as const;
const CACHE = {
  "cache.type": ["memory", "valkey"],
  "cache.operation": ["get", "set", "invalidate"],
} as const;
const CIPHER = {
  "encryption.operation": ["encrypt", "decrypt"],
  "encryption.outcome": ["success", "error"],
} as const;
const OUTCOME = { outcome: ["success", "error"] } as const;

/**
 * Every metric of the service: a line here, and a call where it happens, is all that another one needs. Units without a name (counts, and
 * gauges of a state) are in braces or empty.
 */
export const INSTRUMENTS = {
  "http.server.request.duration": histogram("s", "Duration of token requests", SECONDS, SERVER, SERVER_ERROR),
  "http.server.request.body.size": histogram("By", "Size of request bodies", BYTES, SERVER, SERVER_ERROR),
  "http.server.response.body.size": histogram("By", "Size of reply bodies", BYTES, SERVER, SERVER_ERROR),
  "http.client.request.duration": histogram(
    "s",
    "Duration of calls to upstreams, each try by itself",
    SECONDS,
    { "http.request.method": "text", "server.address": "text", "server.port": "number" },
    { "http.response.status_code": "number", "error.type": "text" },
  ),
  "cache.operations": counter("{operation}", "Cache operations", {
    ...CACHE,
    "cache.status": ["hit", "miss", "success", "error"],
  }),
  "cache.operation.duration": histogram(
    "s",
    "Duration of operations of the shared cache",
    SHORT_SECONDS,
    CACHE,
    NOTHING,
  ),
  "cache.encryption.total": counter("{operation}", "Cache entries sealed and opened", CIPHER),
  "cache.encryption.duration": histogram("s", "Duration of sealing and opening", SHORT_SECONDS, CIPHER, NOTHING),
  "token.cache.outcome": counter("{request}", "What the cache had for a request", {
    "token.cache.result": ["hit", "miss", "mismatch", "error"],
    "token.app": "text",
  }),
  "token.vended": counter("{request}", "Token requests by what they came to", {
    "token.source": ["memory", "valkey", "github", "none"],
    "profile.type": ["pipeline", "organization"],
    outcome: "text",
  }),
  "cache.renewals": counter("{renewal}", "Tokens made ahead of time, or not", {
    outcome: ["renewed", "adopted", "outage", "refused", "failed"],
  }),
  "oidc.verification": counter("{token}", "Verdicts on OIDC tokens", {
    outcome: ["authenticated", "remembered", "invalid", "unavailable"],
  }),
  "profile.refresh": counter("{refresh}", "Readings of the profile file", OUTCOME),
  "keyset.refresh": counter("{refresh}", "Readings of the keyset", OUTCOME),
  "kms.sign": counter("{signature}", "App JWTs signed by KMS", OUTCOME),
  "profile.age": gauge("s", "Since the profile file was last read successfully", NOTHING),
  "keyset.age": gauge("s", "Since the keyset was last read successfully", NOTHING),
  "cache.valkey.state": gauge("", "1 while the shared cache is in use, else 0", NOTHING),
  "audit.pending.size": gauge("By", "Lines that wait for standard output", NOTHING),
  "audit.failures": counter("{request}", "Requests refused because their audit line could not be written", NOTHING),
  "ecs.log_driver.blocking": gauge("", "1 when the log driver waits instead of dropping lines, else 0", NOTHING),
  "requests.shed": counter("{request}", "Requests answered 503 by a limit of the service's own", {
    reason: ["in-flight", "queue", "deadline", "audit", "caller-budget"],
  }),
  "upstream.limited": counter("{reply}", "Replies by which an upstream asked to slow down", { upstream: "text" }),
  "github.rate_limit.remaining": gauge("{request}", "The least that GitHub said was left, since the last export", {
    resource: "text",
  }),
} as const;

export type InstrumentName = keyof typeof INSTRUMENTS;
type NameOf<Kind> = {
  [Name in InstrumentName]: (typeof INSTRUMENTS)[Name]["kind"] extends Kind ? Name : never;
}[InstrumentName];
export type CounterName = NameOf<"counter">;
export type HistogramName = NameOf<"histogram">;
export type GaugeName = NameOf<"gauge">;

type ValueOf<Kind> = Kind extends readonly (infer Word)[] ? Word : Kind extends "number" ? number : string;
type Required<Name extends InstrumentName> = (typeof INSTRUMENTS)[Name]["attributes"];
type Sometimes<Name extends InstrumentName> = (typeof INSTRUMENTS)[Name]["sometimes"];

/** The attributes that measurements of this instrument have. */
export type AttributesOf<Name extends InstrumentName> = {
  readonly [Key in keyof Required<Name>]: ValueOf<Required<Name>[Key]>;
} & { readonly [Key in keyof Sometimes<Name>]?: ValueOf<Sometimes<Name>[Key]> };

interface Counter<A extends AttributeKinds> extends CounterShape {
  readonly attributes: A;
  readonly sometimes: Nothing;
}
interface Histogram<A extends AttributeKinds, S extends AttributeKinds> extends HistogramShape {
  readonly attributes: A;
  readonly sometimes: S;
}
interface Gauge<A extends AttributeKinds> extends GaugeShape {
  readonly attributes: A;
  readonly sometimes: Nothing;
}

function counter<const A extends AttributeKinds>(unit: string, meaning: string, attributes: A): Counter<A> {
  return { kind: "counter", unit, meaning, attributes, sometimes: NOTHING };
}

function histogram<const A extends AttributeKinds, const S extends AttributeKinds>(
  unit: string,
  meaning: string,
  bounds: readonly number[],
  attributes: A,
  sometimes: S,
): Histogram<A, S> {
  return { kind: "histogram", unit, meaning, bounds, attributes, sometimes };
}

function gauge<const A extends AttributeKinds>(unit: string, meaning: string, attributes: A): Gauge<A> {
  return { kind: "gauge", unit, meaning, attributes, sometimes: NOTHING };
}
