import { randomBytes } from "node:crypto";
import { systemClock, type Clock } from "../lib/clock.ts";
import { createJournal, type Asker, type Journal } from "./journal.ts";
import { serveUpstream } from "./upstream-server.ts";

/** `fail`: status 500. `hang`: no answer, ever. `garbage`: status 200 and something that is no credentials. */
export type EcsBehaviour = "serve" | "fail" | "hang" | "garbage";

export interface EcsCredentialsOptions {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default, and for 0: any free one. */
  readonly port?: number;
  /** Default: 6 hours, as ECS has it. */
  readonly lifetimeSeconds?: number;
}

/** The credentials endpoint of a container in ECS. */
export interface EcsCredentials extends AsyncDisposable {
  readonly url: string;
  readonly journal: Journal;
  /** What points the AWS SDK here. */
  readonly environment: Readonly<Record<string, string>>;
  behaviour: EcsBehaviour;
  /** The next request gets new credentials. They are also renewed by themselves when half their life is over. */
  readonly rotate: () => void;
}

interface IssuedCredentials {
  readonly body: Readonly<Record<string, string>>;
  readonly renewAtMs: number;
}

const PATH = "/v2/credentials/5f1b2c9e";

/**
 * Serves temporary credentials with an expiry to whoever sends the container's authorization token.
 * Source: "Container credential provider", AWS SDKs and Tools Reference Guide.
 */
export function startEcsCredentials(options: EcsCredentialsOptions = {}): EcsCredentials {
  const { clock = systemClock, port = 0, lifetimeSeconds = 6 * 60 * 60 } = options;
  const journal = createJournal();
  const token = randomBytes(24).toString("base64url");
  let held: IssuedCredentials | undefined;
  const serve = (): Response => {
    if (held === undefined || clock.nowMs() >= held.renewAtMs) held = issue(clock.nowMs(), lifetimeSeconds);
    return Response.json(held.body);
  };
  const server = serveUpstream({
    name: "ecs-credentials",
    port,
    clock,
    journal,
    interceptor: () => undefined,
    identify: (headers) => identify(headers, token),
    answer: ({ method, segments, headers }) => {
      if (endpoint.behaviour === "hang") return new Promise<Response>(() => undefined);
      if (endpoint.behaviour === "fail") return refusal(500, "InternalServerError");
      if (endpoint.behaviour === "garbage") return Response.json({ AccessKeyId: 7 });
      if (identify(headers, token).authorization !== "container-token") return refusal(401, "AccessDenied");
      if (method !== "GET" || `/${segments.join("/")}` !== PATH) return refusal(404, "InvalidIdInRequest");
      return serve();
    },
  });
  const endpoint: EcsCredentials = {
    url: server.url,
    journal,
    environment: {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}${PATH}`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
    },
    behaviour: "serve",
    rotate: () => {
      held = undefined;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return endpoint;
}

function issue(nowMs: number, lifetimeSeconds: number): IssuedCredentials {
  return {
    body: {
      RoleArn: "arn:aws:iam::123456789012:role/bridge",
      AccessKeyId: `ASIA${randomBytes(8).toString("hex").toUpperCase()}`,
      SecretAccessKey: randomBytes(30).toString("base64"),
      Token: randomBytes(200).toString("base64"),
      Expiration: new Date(nowMs + lifetimeSeconds * 1000).toISOString(),
    },
    renewAtMs: nowMs + lifetimeSeconds * 500,
  };
}

function refusal(status: number, code: string): Response {
  return Response.json({ code, message: code }, { status });
}

function identify(headers: Headers, token: string): Asker {
  const sent = headers.get("authorization");
  if (sent === null) return { authorization: "none" };
  return { authorization: sent === token ? "container-token" : "unknown" };
}
