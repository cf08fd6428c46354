import type { ServerConfiguration } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { limit, read, refused, seconds, wholeNumber, type Format } from "./format.ts";
import { variablesOf } from "./variable.ts";

const { defaulted, optional } = variablesOf("server");

const basePath: Format<string> = {
  accepted: "a path such as /bridge: letters, digits and -._~!$&'()*+,;=:@ between single slashes",
  read: (text) => {
    const path = text.replace(/\/+$/, "").replace(/^(?=[^/])/, "/");
    if (path.includes("//")) return refused("has an empty segment (//)");
    if (!/^[\w\-.~!$&'()*+,;=:@/]*$/.test(path)) return refused("has a character that does not belong in a path");
    return path.split("/").some((segment) => segment === "." || segment === "..")
      ? refused("has a . or .. segment")
      : read(path);
  },
};

const host: Format<string> = {
  accepted: "a host name or an IP address",
  read: (text) => {
    const name = text.replace(/^\[(.*)\]$/, "$1");
    const candidate = name.includes(":") ? `http://[${name}]/` : `http://${name}/`;
    return /^[\w\-.:]+$/.test(name) && URL.canParse(candidate)
      ? read(name)
      : refused("is no host name and no IP address");
  },
};

/** How the service is reached and how much it does at once. */
export const SERVER = {
  port: defaulted({
    name: "SERVER_PORT",
    default: "8080",
    meaning: "The TCP port to listen on; 0 takes any free one.",
    format: wholeNumber(0, 65_535),
  }),
  host: optional({
    name: "SERVER_HOST",
    whenUnset: "all addresses",
    meaning: "The address to listen on.",
    format: host,
  }),
  basePath: optional({
    name: "SERVER_BASE_PATH",
    whenUnset: "no prefix",
    meaning: "A prefix of every path. A leading slash is added, trailing ones are dropped.",
    format: basePath,
  }),
  shutdownTimeoutMs: defaulted({
    name: "SERVER_SHUTDOWN_TIMEOUT_SECS",
    default: "25",
    meaning: "How long requests in flight may go on after SIGTERM.",
    format: seconds(0, 86_400),
  }),
  drainDelayMs: defaulted({
    name: "SERVER_DRAIN_DELAY_SECS",
    default: "0",
    meaning: "How long to go on accepting after SIGTERM, because a load balancer still routes for a moment.",
    format: seconds(0, 3600),
  }),
  maxInFlight: defaulted({
    name: "SERVER_MAX_IN_FLIGHT",
    default: "1000",
    meaning: "More requests in work than this get 503; /healthcheck is not counted.",
    format: wholeNumber(1, 1_000_000),
  }),
  trustedProxyHops: defaulted({
    name: "SERVER_TRUSTED_PROXY_HOPS",
    default: "0",
    meaning: "How many proxies of yours stand before the service; the audit entry tells the address the outermost saw.",
    format: wholeNumber(0, 64),
  }),
  outgoingMaxIdleConnections: defaulted({
    name: "SERVER_OUTGOING_MAX_IDLE_CONNS",
    default: "100",
    meaning: "Idle outgoing connections to keep. Accepted and without effect: the runtime manages its pool itself.",
    format: limit(1_000_000),
  }),
  outgoingMaxConnectionsPerHost: defaulted({
    name: "SERVER_OUTGOING_MAX_CONNS_PER_HOST",
    default: "20",
    meaning: "Requests at once to one upstream host.",
    format: limit(1_000_000),
  }),
} as const;

export function readServer(reader: EnvironmentReader): ServerConfiguration {
  return {
    ...readListenAddress(reader),
    shutdownTimeoutMs: reader.read(SERVER.shutdownTimeoutMs),
    drainDelayMs: reader.read(SERVER.drainDelayMs),
    maxInFlight: reader.read(SERVER.maxInFlight),
    trustedProxyHops: reader.read(SERVER.trustedProxyHops),
    outgoingMaxIdleConnections: reader.read(SERVER.outgoingMaxIdleConnections),
    outgoingMaxConnectionsPerHost: reader.read(SERVER.outgoingMaxConnectionsPerHost),
  };
}

/** Where a local client finds the service: all that `healthcheck` needs to know of the configuration. */
export function readListenAddress(reader: EnvironmentReader): Pick<ServerConfiguration, "port" | "host" | "basePath"> {
  const address = reader.read(SERVER.host);
  return {
    port: reader.read(SERVER.port),
    ...(address === undefined ? {} : { host: address }),
    basePath: reader.read(SERVER.basePath) ?? "",
  };
}
