import { IMAGE_SETTINGS } from "../../tests/support/image-settings.ts";
import {
  startBinary,
  startFloor,
  startPeer,
  type Contender,
  type Environment,
  type StartOptions,
} from "./contender.ts";
import { ask, type AskedRequest } from "./requests.ts";

export interface Servers {
  readonly bridge: Contender;
  /** It, and given PEER=COMMAND the other server. */
  readonly servers: Contender[];
}

/** Starts them with the environment of the image and this one; they end with `stack`. */
export async function startServers(
  environment: Environment,
  stack: AsyncDisposableStack,
  options?: StartOptions,
): Promise<Servers> {
  const whole = { ...environment, ...IMAGE_SETTINGS };
  const bridge = stack.use(await startBinary("bridge", whole, options));
  const command = process.env["PEER"];
  if (command === undefined) return { bridge, servers: [bridge] };
  return { bridge, servers: [bridge, stack.use(await startPeer(command, whole, options))] };
}

/** The floor with the bridge's own replies to these requests, and a line as long as the bridge's. */
export async function startFloorLike(
  bridge: Contender,
  request: AskedRequest,
  gitRequest?: AskedRequest,
): Promise<Contender> {
  const line = `${"x".repeat(await measureLine(bridge, request))}\n`;
  const gitReply = gitRequest === undefined ? "" : await ask(bridge, gitRequest);
  return startFloor({ reply: await ask(bridge, request), gitReply, line });
}

/** Not every line is looked at. */
const MOST_ASKED = 1000;

/** How many characters the audit line of a request has. */
export async function measureLine(server: Contender, request: AskedRequest): Promise<number> {
  for (let asked = 0; asked < MOST_ASKED; asked++) {
    const line = server.lines.find((text) => text.includes('"audit"'));
    if (line !== undefined) return line.length;
    await ask(server, request);
  }
  throw new Error(`no audit line of ${server.name} was seen`);
}
