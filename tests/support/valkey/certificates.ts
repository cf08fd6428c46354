import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface ServerCertificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateAuthority {
  readonly folder: string;
  readonly ca: string;
  readonly caFile: string;
  /** Each file name is used once. Names are DNS names or `IP:...`; `days` below 0 makes one that has expired. */
  readonly issue: (file: string, names: readonly string[], days?: number) => ServerCertificate;
}

/** A certificate authority in a temporary folder, which is left to the system to clean. */
export function createCertificateAuthority(): CertificateAuthority {
  const folder = mkdtempSync(join(tmpdir(), "valkey-ca-"));
  const caFile = join(folder, "ca.crt");
  const caKey = join(folder, "ca.key");
  openssl(["req", "-x509", ...newKey(caKey), "-out", caFile, "-days", "2", "-subj", "/CN=Test authority"]);
  return { folder, caFile, ca: readFileSync(caFile, "utf8"), issue };

  function issue(file: string, names: readonly string[], days = 2): ServerCertificate {
    const [certFile, keyFile, request, extensions] = ["crt", "key", "csr", "ext"].map((end) =>
      join(folder, `${file}.${end}`),
    ) as [string, string, string, string];
    const alternatives = names.map((name) => (name.startsWith("IP:") ? name : `DNS:${name}`)).join(",");
    writeFileSync(extensions, `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    openssl(["req", ...newKey(keyFile), "-out", request, "-subj", "/CN=Test server"]);
    const signing = ["-CA", caFile, "-CAkey", caKey, "-set_serial", String(Date.now()), "-extfile", extensions];
    openssl(["x509", "-req", "-in", request, "-out", certFile, "-days", String(days), ...signing]);
    return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8"), certFile, keyFile };
  }
}

function newKey(file: string): readonly string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", file];
}

function openssl(args: readonly string[]): void {
  const { status, stderr, error } = spawnSync("openssl", args, { encoding: "utf8" });
  if (error !== undefined) throw new Error("openssl is needed to make the tests' certificates", { cause: error });
  if (status !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}
