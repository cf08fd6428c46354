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

/** Sends each once, so many at a time. Throws when one is not answered with 200. */
export async function askAll(
  contender: Pick<Contender, "port">,
  requests: readonly AskedRequest[],
  atOnce = 16,
): Promise<void> {
  let next = 0;
  const loop = async (): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++])
      await ask(contender, request);
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
}
