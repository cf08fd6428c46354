import { X509Certificate } from "node:crypto";
import { getCACertificates } from "node:tls";

/** TLS as the operator asked for it. */
export interface TlsSettings {
  /** PEM certificates that are trusted besides the runtime's own. */
  readonly extraCa?: string | undefined;
}

export interface TlsOptions {
  readonly rejectUnauthorized: true;
  readonly minVersion: number;
  readonly ca: string[];
}

/**
 * The certificates in a text, as PEM, without what stands around them. Undefined when there is none, or one that cannot be read: Bun's
 * client would then close each connection without a reason.
 */
export function findCertificates(text: string): string | undefined {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
  return found.length > 0 && found.every(isCertificate) ? found.join("\n") : undefined;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** TLS 1.2, as a number: Bun refuses the name. */
const TLS_1_2 = 0x0303;

/**
 * Options that verify the chain and the name whatever the environment says: without an explicit `rejectUnauthorized`,
 * `NODE_TLS_REJECT_UNAUTHORIZED=0` switches verification off in Bun. A list of authorities replaces the runtime's, so
 * they are named too, those of `NODE_EXTRA_CA_CERTS` among them.
 */
export function tlsOptions({ extraCa }: TlsSettings): TlsOptions {
  const ca = [...getCACertificates("default"), ...(extraCa === undefined ? [] : [extraCa])];
  return { rejectUnauthorized: true, minVersion: TLS_1_2, ca };
}
