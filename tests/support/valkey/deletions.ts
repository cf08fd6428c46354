import type { CertificateAuthority } from "./certificates.ts";
import { cliCommand } from "./real-server.ts";

/** The keys that clients delete on a server, from now until it is disposed of. What expires is not among them. */
export interface Deletions extends AsyncDisposable {
  readonly entries: readonly string[];
  /** Claims come and go: that some did shows that the recording works. */
  readonly claims: readonly string[];
}

export async function recordDeletions(authority: CertificateAuthority, port: number): Promise<Deletions> {
  const child = Bun.spawn([...cliCommand(authority, port, ["monitor"])], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  const [entries, claims]: [string[], string[]] = [[], []];
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const read = async (): Promise<void> => {
    let rest = "";
    for await (const chunk of child.stdout) {
      const lines = (rest + new TextDecoder().decode(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "OK") resolve();
        const key = /\] "(?:DEL|UNLINK|GETDEL)" "(.*)"$/i.exec(line)?.[1];
        if (key !== undefined) (key.endsWith(":claim") ? claims : entries).push(key);
      }
    }
  };
  void read();
  await started;
  return {
    entries,
    claims,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}
