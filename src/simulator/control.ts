import type { Journal } from "./journal.ts";
import { serveLoopback, type UpstreamServer } from "./upstream-server.ts";

export interface ControlParts {
  readonly port: number;
  readonly journal: Journal;
  readonly setPolicy: (text: string) => void;
  /** Grows by every text that a job wants redacted. */
  readonly redactions: string[];
}

/** The simulator's own port, for those who are not in its process: to read the journal, change the policy, hand over redactions. */
export function serveControl(parts: ControlParts): UpstreamServer {
  return serveLoopback(parts.port, async (request) => {
    const route = `${request.method} ${new URL(request.url).pathname}`;
    if (route === "GET /journal") return Response.json(parts.journal.entries());
    if (route === "DELETE /journal") {
      parts.journal.clear();
      return new Response(null, { status: 204 });
    }
    if (route === "PUT /policy") {
      parts.setPolicy(await request.text());
      return new Response(null, { status: 204 });
    }
    if (route === "POST /redactions") {
      parts.redactions.push(await request.text());
      return new Response(null, { status: 204 });
    }
    return new Response("not found", { status: 404 });
  });
}
