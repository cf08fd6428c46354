import { lookup } from "node:dns/promises";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../lib/clock.ts";
import type { Address } from "./address.ts";
import { withinMs } from "./deadline.ts";
import { classifySocketError, ConnectionFault } from "./failure.ts";
import type { TlsOptions } from "./tls.ts";

/** Enough for a look-up, a handshake and a slow path between them. */
const LIMIT_MS = 2_000;

/**
 * Why a connection could not be had, where Bun's client says no more than "Connection closed": looks the name up,
 * connects and shakes hands once more, without sending anything. Undefined when all of that works.
 */
export async function diagnose(
  address: Address,
  tls: TlsOptions | undefined,
  clock: Clock,
): Promise<ConnectionFault | undefined> {
  const verdict = await withinMs(clock, LIMIT_MS, findFault(address, tls));
  return verdict === undefined
    ? new ConnectionFault({ reason: "timeout", detail: "no answer to a connection attempt" })
    : (verdict.fault ?? undefined);
}

async function findFault(address: Address, tls: TlsOptions | undefined): Promise<{ readonly fault?: ConnectionFault }> {
  try {
    if (isIP(address.host) === 0) await lookup(address.host);
    await shakeHands(address, tls);
    return {};
  } catch (error) {
    return { fault: classifySocketError(error) };
  }
}

function shakeHands({ host, port }: Address, tls: TlsOptions | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const { minVersion: _number, ...verification } = tls ?? { minVersion: 0 };
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const socket: Socket =
      tls === undefined
        ? connectPlain({ host, port })
        : connectTls({ host, port, minVersion: "TLSv1.2", ...servername, ...verification });
    const finish = (settle: () => void): void => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(LIMIT_MS, () => finish(resolve));
    socket.once(tls === undefined ? "connect" : "secureConnect", () => finish(resolve));
    socket.on("error", (error) => finish(() => reject(error)));
  });
}
