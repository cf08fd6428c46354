import { createHash, generateKeyPairSync } from "node:crypto";
import { signJwt } from "./compact-jwt.ts";
import type { Installation } from "./world.ts";

/** A token that GitHub has given out. */
export interface IssuedToken {
  readonly token: string;
  readonly appId: number;
  readonly installationId: number;
  readonly permissions: Readonly<Record<string, string>>;
  /** Absent: all that the installation reaches whenever the token is used. */
  readonly repositoryIds?: readonly number[];
  /** Whole seconds, as milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface InstallationTokens {
  readonly issue: (
    installation: Installation,
    grant: Pick<IssuedToken, "permissions" | "repositoryIds">,
    nowMs: number,
  ) => IssuedToken;
  /** Undefined for a token that was never issued, was revoked, or has expired. */
  readonly findLive: (token: string, nowMs: number) => IssuedToken | undefined;
  readonly revoke: (token: string) => void;
  /** Every token ever issued, revoked ones too, in order. */
  readonly issued: () => readonly IssuedToken[];
}

const LIFETIME_SECONDS = 3600;

export function createInstallationTokens(): InstallationTokens {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issued: IssuedToken[] = [];
  const live = new Map<string, IssuedToken>();
  return {
    issue: (installation, grant, nowMs) => {
      const issuedAt = Math.floor(nowMs / 1000);
      const expiresAt = issuedAt + LIFETIME_SECONDS;
      const claims = describeToken(installation, issued.length + 1, issuedAt, expiresAt);
      // GitHub's stateless form of 2026: some 520 characters, two dots, underscores. Whoever measures or parses tokens breaks on it.
      const jwt = signJwt({ alg: "ES256", typ: "JWT", kid: "simulator-installation-tokens" }, claims, privateKey);
      const { appId, id: installationId } = installation;
      const token = { token: `ghs_${appId}_${jwt}`, appId, installationId, ...grant, expiresAtMs: expiresAt * 1000 };
      issued.push(token);
      live.set(token.token, token);
      return token;
    },
    findLive: (token, nowMs) => {
      const found = live.get(token);
      return found !== undefined && found.expiresAtMs > nowMs ? found : undefined;
    },
    revoke: (token) => void live.delete(token),
    issued: () => [...issued],
  };
}

function describeToken(installation: Installation, ordinal: number, issuedAt: number, expiresAt: number) {
  return {
    iss: "https://github.com/apps",
    sub: `installation:${installation.id}`,
    aud: "https://api.github.com",
    app_id: installation.appId,
    installation_id: installation.id,
    account_id: installation.accountId,
    iat: issuedAt,
    exp: expiresAt,
    jti: createHash("sha256").update(`${installation.id}:${ordinal}`).digest("hex"),
  };
}
