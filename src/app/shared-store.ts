import { readFile } from "node:fs/promises";
import type { ValkeyAuthentication, ValkeyConfiguration } from "../config/configuration.ts";
import { BridgeError } from "../lib/bridge-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { CredentialSource } from "../valkey/credential-source.ts";
import type { ValkeyObserver } from "../valkey/events.ts";
import { createSharedStore, IAM_RENEWAL_MS, type SharedStore } from "../valkey/shared-store.ts";
import type { Timing } from "../valkey/timing.ts";
import { findCertificates, type TlsSettings } from "../valkey/tls.ts";
import type { AwsStage } from "./aws.ts";
import { createIamTokens } from "./iam-tokens.ts";

/**
 * The configured Valkey, being connected to: it may be down, and come later. Rejects when the configuration cannot work whatever the
 * server does: a file of authorities that cannot be read, no region for IAM.
 */
export async function openSharedStore(
  { host, port, tls, authentication }: ValkeyConfiguration,
  aws: AwsStage,
  clock: Clock,
  observer: ValkeyObserver,
  timing?: Partial<Timing>,
): Promise<SharedStore> {
  return createSharedStore({
    address: { host, port },
    tls: tls.enabled ? await readTlsSettings(tls.caFile) : undefined,
    credentials: await credentialsFor(authentication, aws),
    renewAfterMs: authentication.kind === "iam" ? IAM_RENEWAL_MS : undefined,
    observer,
    clock,
    random: Math.random,
    timing,
  });
}

async function readTlsSettings(caFile: string | undefined): Promise<TlsSettings> {
  if (caFile === undefined) return {};
  const text = await readFile(caFile, "utf8").catch((cause: unknown) => {
    throw new BridgeError("unreadable-file", "VALKEY_TLS_CA_FILE cannot be read", { cause });
  });
  const extraCa = findCertificates(text);
  if (extraCa !== undefined) return { extraCa };
  throw new BridgeError("unreadable-file", "VALKEY_TLS_CA_FILE holds no PEM certificate, or one that is broken");
}

async function credentialsFor(
  authentication: ValkeyAuthentication,
  aws: AwsStage,
): Promise<CredentialSource | undefined> {
  switch (authentication.kind) {
    case "none":
      return undefined;
    case "password": {
      const credentials = {
        username: authentication.username ?? "default",
        password: authentication.password.reveal(),
      };
      return () => Promise.resolve(credentials);
    }
    case "iam": {
      const { username } = authentication;
      const tokens = await createIamTokens(authentication, aws);
      return async () => ({ username, password: await tokens.token() });
    }
  }
}
