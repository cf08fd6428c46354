import { isLoopbackHost } from "../lib/loopback.ts";
import { read, refused, type Format, type Reading } from "./format.ts";

const ACCEPTED = "an absolute https URL without user, query or fragment (http for loopback only)";

/**
 * The base URL of a service we call: https, or http to this machine. Trailing slashes of its path are dropped (the
 * root stays `/`). User info, query and fragment are refused: nothing that is appended to it could mean what it says.
 */
export const serviceUrl: Format<URL> = { accepted: ACCEPTED, read: readServiceUrl };

/** As `serviceUrl`, and with no path: only scheme, host and port count. */
export const originUrl: Format<URL> = {
  accepted: `${ACCEPTED}, and without a path`,
  read: (text) => {
    const reading = readServiceUrl(text);
    return reading.kind === "read" && reading.value.pathname !== "/" ? refused("has a path") : reading;
  },
};

/** An issuer: checked like `serviceUrl`, given out as it was written, since it is compared letter by letter. */
export const issuerUrl: Format<string> = {
  accepted: ACCEPTED,
  read: (text) => {
    const reading = readServiceUrl(text);
    return reading.kind === "read" ? read(text) : reading;
  },
};

function readServiceUrl(text: string): Reading<URL> {
  if (/[\s\\]|\p{Cc}/u.test(text) || !/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    return refused("is not an absolute http or https URL");
  }
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return refused("has a user or a password in it");
  if (text.includes("?") || text.includes("#")) return refused("has a query or a fragment");
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname)) return refused("is http, and not to this machine");
  url.pathname = url.pathname.replace(/\/+$/, "");
  return read(url);
}
