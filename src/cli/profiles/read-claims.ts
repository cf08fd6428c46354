import { type MatchableClaims, readMatchableClaims } from "../../oidc/buildkite-claims.ts";
import { parseCompactJws } from "../../oidc/compact-jws.ts";
import { InvalidToken } from "../../oidc/invalid-token.ts";
import { parseJsonObject } from "../../oidc/json-object.ts";
import type { CommandIo, Invocation } from "../command.ts";
import { CommandFailure, UsageError } from "../failure.ts";
import { helpOf } from "../invocation.ts";
import { printable } from "../printable.ts";
import { readNamedFile } from "./profile-options.ts";
import type { ClaimValues } from "../../oidc/claim-values.ts";

/** Far more than a token has: its whole length may be 8 KiB. */
const MAX_CLAIMS_BYTES = 64 * 1024;

/**
 * The claims that `--claims` names or that the token on standard input carries, which is not verified. Tells on standard error what is
 * missing in them, and that. Throws `CommandFailure`; its message shows no claim's value.
 */
export async function readClaims(invocation: Invocation, io: CommandIo): Promise<ClaimValues> {
  const path = invocation.text("claims");
  const isToken = invocation.flag("token");
  if ((path === undefined) === !isToken) {
    throw new UsageError("one of --claims FILE and --token is needed", helpOf("profiles explain"));
  }
  const what = path === undefined ? "the token" : printable(path);
  const { claims, missing } = asClaims(what, path === undefined ? await readToken(io) : await readFileOf(path, io));
  if (isToken) {
    await io.err.write("note: the token was not verified: neither its signature nor its issuer, audience and times\n");
  }
  if (missing.length > 0) {
    await io.err.write(
      `note: ${what} lacks ${missing.join(", ")}, which the service asks of every token; rules on that do not hold\n`,
    );
  }
  return claims;
}

function asClaims(what: string, bytes: Uint8Array): MatchableClaims {
  const payload = bytes.byteLength > MAX_CLAIMS_BYTES ? undefined : parseJsonObject(bytes);
  if (payload === undefined) {
    throw new CommandFailure(`${what} does not hold one JSON object with distinct members`, {
      code: "claims-malformed",
      advice: 'claims are written as in a token: {"pipeline_slug": "widget", "build_branch": "main"}',
    });
  }
  try {
    return readMatchableClaims(payload);
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
    const advice = "the service answers such a token with 401, whatever the profile";
    throw new CommandFailure(`${what}: ${error.message}`, { code: "claims-malformed", advice, cause: error });
  }
}

/** Without the mark that editors of Windows put in front, as profile files are read; a token's payload may have none. */
async function readFileOf(path: string, io: CommandIo): Promise<Uint8Array> {
  const bytes = await readNamedFile(path, MAX_CLAIMS_BYTES, io);
  const [first, second, third] = bytes;
  return first === 0xef && second === 0xbb && third === 0xbf ? bytes.subarray(3) : bytes;
}

async function readToken({ readInput }: CommandIo): Promise<Uint8Array> {
  const bytes = await readNamedFile("standard input", MAX_CLAIMS_BYTES, { readFile: (_, max) => readInput(max) });
  const text = new TextDecoder().decode(bytes).trim();
  try {
    return Buffer.from(parseCompactJws(text).encodedPayload, "base64url");
  } catch (error) {
    if (!(error instanceof InvalidToken)) throw error;
    const advice =
      "buildkite-agent oidc request-token --claim pipeline_id | chinmina-bridge profiles explain FILE --token";
    throw new CommandFailure(`standard input: ${error.message}`, { code: "claims-malformed", advice, cause: error });
  }
}
