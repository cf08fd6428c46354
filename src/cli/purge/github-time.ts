import type { CommandIo } from "../command.ts";

const TIMEOUT_MS = 5_000;

/**
 * The second it is at GitHub, by the `Date` of whatever it answers: GitHub dates its tokens by that clock, and a purge compares with
 * those dates. Undefined when it does not answer in time.
 */
export async function readGitHubSeconds(apiUrl: URL, fetch: CommandIo["fetch"]): Promise<number | undefined> {
  try {
    const response = await fetch(apiUrl.href, {
      method: "HEAD",
      headers: { "user-agent": "chinmina-bridge", "cache-control": "no-cache" },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // An explicit true is the only form that NODE_TLS_REJECT_UNAUTHORIZED=0 does not undo.
      tls: { rejectUnauthorized: true },
    });
    await response.body?.cancel();
    const atMs = Date.parse(response.headers.get("date") ?? "");
    return Number.isNaN(atMs) ? undefined : Math.floor(atMs / 1000);
  } catch {
    return undefined;
  }
}
