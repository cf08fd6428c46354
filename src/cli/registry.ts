import type { Command } from "./command.ts";

export interface CommandEntry {
  /** One word, or two: `config check`. */
  readonly name: string;
  readonly summary: string;
  /** Commands are loaded when they are run: `serve` must not pay for what it does not use. */
  readonly load: () => Promise<Command>;
}

/** Every command there is, in the order of the help text. Without a command the first one runs. */
export const COMMANDS: readonly [CommandEntry, ...CommandEntry[]] = [
  {
    name: "serve",
    summary: "Run the service, configured by environment variables alone (the default)",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "healthcheck",
    summary: "Ask a running service whether it is well",
    load: async () => (await import("./healthcheck.ts")).healthcheck,
  },
  {
    name: "config check",
    summary: "Tell every problem of the environment at once, as serve would find them",
    load: async () => (await import("./config-check.ts")).configCheck,
  },
  {
    name: "version",
    summary: "Tell version, commit and runtime",
    load: async () => (await import("./version.ts")).version,
  },
];
