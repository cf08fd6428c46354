import * as v from "valibot";
import { parseReply } from "../lib/parse-reply.ts";
import type { AppJwtSource } from "./app-jwt.ts";
import type { GitHubClient } from "./client.ts";

const AppReply = v.object({ id: v.pipe(v.number(), v.integer()), slug: v.optional(v.string(), "") });

/** The App as whom GitHub takes whoever signs its JWT. */
export interface AppIdentity {
  readonly id: number;
  /** As in `https://github.com/apps/SLUG`. */
  readonly slug: string;
}

/** Asks GitHub who we are (`GET /app`): it answers when it accepts the signature. Throws `UpstreamFault`. */
export async function readAppIdentity(client: GitHubClient, appJwt: AppJwtSource): Promise<AppIdentity> {
  const operation = "read App";
  const response = await client.call({ operation, method: "GET", path: "/app", bearer: await appJwt.current() });
  return parseReply(AppReply, response, { upstream: "github", operation });
}
