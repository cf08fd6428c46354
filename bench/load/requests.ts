import type { Contender } from "./contender.ts";

/** A `POST` as a job sends it. */
export interface AskedRequest {
  readonly path: string;
  readonly jwt: string;
  readonly body?: string;
}

/** Sends one request. Throws when its status is not 200. */
export async function ask({ port }: Pick<Contender, "port">, { path, jwt, body }: AskedRequest): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${jwt}` },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: status ${response.status}: ${text}`);
  return text;
}

const RETRY_MS = 1000;

/** Sends each, so many at a time, and once more what is refused, as clients do. Throws when one is then not answered with 200. */
export async function askAll(
  contender: Pick<Contender, "port">,
  requests: readonly AskedRequest[],
  atOnce = 16,
): Promise<void> {
  // One iterator for all loops: each takes what is next.
  const left = requests.values();
  const loop = async (): Promise<void> => {
    for (const request of left) {
      await ask(contender, request).catch(() => Bun.sleep(RETRY_MS).then(() => ask(contender, request)));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
}
