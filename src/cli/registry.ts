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
    name: "doctor",
    summary: "Ask everything that the service depends on, and tell what to do about what fails",
    load: async () => (await import("./doctor/doctor.ts")).doctor,
  },
  {
    name: "profiles check",
    summary: "Tell every problem of profile files, and what is dangerous in them",
    load: async () => (await import("./profiles/check.ts")).check,
  },
  {
    name: "profiles explain",
    summary: "Tell who gets what: which profiles a job may use, and which rules refuse it",
    load: async () => (await import("./profiles/explain.ts")).explain,
  },
  {
    name: "profiles test",
    summary: "Run a table of cases against a profile file",
    load: async () => (await import("./profiles/test.ts")).test,
  },
  {
    name: "profiles schema",
    summary: "Print the JSON Schema of the profile file, for editors",
    load: async () => (await import("./profiles/schema.ts")).schema,
  },
  {
    name: "keyset create",
    summary: "Make a keyset where there is none",
    load: async () => (await import("./keyset/put.ts")).create,
  },
  {
    name: "keyset import",
    summary: "Take over a keyset that tinkey made",
    load: async () => (await import("./keyset/put.ts")).importFile,
  },
  {
    name: "keyset list",
    summary: "Show the keys, nothing secret",
    load: async () => (await import("./keyset/list.ts")).list,
  },
  {
    name: "keyset rotate",
    summary: "Take the next step of a rotation that is due",
    load: async () => (await import("./keyset/rotate.ts")).rotate,
  },
  {
    name: "keyset add-key",
    summary: "Add a key that opens and does not seal yet",
    load: async () => (await import("./keyset/edit-key.ts")).addKey,
  },
  {
    name: "keyset promote-key",
    summary: "Make a key the one that seals",
    load: async () => (await import("./keyset/edit-key.ts")).promoteKey,
  },
  {
    name: "keyset disable-key",
    summary: "Take a key out of use",
    load: async () => (await import("./keyset/edit-key.ts")).disableKey,
  },
  {
    name: "keyset enable-key",
    summary: "Put a disabled key back in use",
    load: async () => (await import("./keyset/edit-key.ts")).enableKey,
  },
  {
    name: "keyset delete-key",
    summary: "Remove a key for good",
    load: async () => (await import("./keyset/edit-key.ts")).deleteKey,
  },
  {
    name: "keyset destroy-key",
    summary: "Remove a key's bytes for good, keeping its id",
    load: async () => (await import("./keyset/edit-key.ts")).destroyKey,
  },
  {
    name: "keyset convert",
    summary: "Encrypt the keyset under another KMS key",
    load: async () => (await import("./keyset/put.ts")).convert,
  },
  {
    name: "keyset verify",
    summary: "Try the keyset as the service would at its start",
    load: async () => (await import("./keyset/verify.ts")).verify,
  },
  {
    name: "cache-token",
    summary: "Print an IAM token for the configured cache",
    load: async () => (await import("./cache-token.ts")).cacheToken,
  },
  {
    name: "version",
    summary: "Tell version, commit and runtime",
    load: async () => (await import("./version.ts")).version,
  },
];
