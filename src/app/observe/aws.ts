import type { Signer } from "../../github/signer.ts";
import type { KeyUnwrapper } from "../../keyset/key-unwrapper.ts";
import type { SecretStore } from "../../keyset/secret-store.ts";
import type { Telemetry } from "../../telemetry/telemetry.ts";
import { traced } from "../../telemetry/tracing.ts";

/** What a client span of an AWS call is made by; undefined: no spans. */
type Traces = Pick<Telemetry, "tracing"> | undefined;

function aws<Result>(traces: Traces, service: "KMS" | "SecretsManager", method: string, work: () => Promise<Result>) {
  if (traces === undefined) return work();
  const attributes = { "rpc.system": "aws-api", "rpc.service": service, "rpc.method": method };
  return traced(traces.tracing, `${service}.${method}`, { kind: "client", attributes }, work);
}

/** Counts signatures; `traces` for spans too. */
export function observeSigner(signer: Signer, { metrics }: Telemetry, traces: Traces): Signer {
  return {
    sign: async (message, signal) => {
      try {
        const signature = await aws(traces, "KMS", "Sign", () => signer.sign(message, signal));
        metrics.count("kms.sign", { outcome: "success" });
        return signature;
      } catch (error) {
        metrics.count("kms.sign", { outcome: "error" });
        throw error;
      }
    },
  };
}

export function observeUnwrapper(unwrapper: KeyUnwrapper, traces: Traces): KeyUnwrapper {
  return {
    decrypt: (...call) => aws(traces, "KMS", "Decrypt", () => unwrapper.decrypt(...call)),
    encrypt: (...call) => aws(traces, "KMS", "Encrypt", () => unwrapper.encrypt(...call)),
  };
}

export function observeSecrets(secrets: SecretStore, traces: Traces): SecretStore {
  return {
    getCurrent: (...call) => aws(traces, "SecretsManager", "GetSecretValue", () => secrets.getCurrent(...call)),
    putStaged: (...call) => aws(traces, "SecretsManager", "PutSecretValue", () => secrets.putStaged(...call)),
    moveCurrent: (...call) =>
      aws(traces, "SecretsManager", "UpdateSecretVersionStage", () => secrets.moveCurrent(...call)),
  };
}
