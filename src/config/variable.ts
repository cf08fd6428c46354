import type { Format } from "./format.ts";

export type VariableGroup =
  | "server"
  | "identity"
  | "buildkite"
  | "github"
  | "profiles"
  | "cache"
  | "valkey"
  | "encryption"
  | "observe"
  | "general";

interface Described<T> {
  readonly name: string;
  readonly group: VariableGroup;
  /** What it is for, one or two sentences for a person; the documentation is generated from it. */
  readonly meaning: string;
  /** Never printed, and readable from the file that `NAME_FILE` names. */
  readonly secret: boolean;
  readonly format: Format<T>;
}

export interface DefaultedVariable<T> extends Described<T> {
  readonly presence: "defaulted";
  readonly default: string;
}

export interface OptionalVariable<T> extends Described<T> {
  readonly presence: "optional";
  /** What happens while it is not set: `all addresses`. */
  readonly whenUnset?: string;
}

export interface RequiredVariable<T> extends Described<T> {
  readonly presence: "required";
}

/** One environment variable of ours: everything that reading, checking, suggesting and documenting it needs. */
export type Variable<T = unknown> = DefaultedVariable<T> | OptionalVariable<T> | RequiredVariable<T>;

/** The variable that names the file holding a secret's value. */
export function fileVariableOf(variable: Pick<Variable, "name">): string {
  return `${variable.name}_FILE`;
}

type Definition<T> = Omit<Described<T>, "group" | "secret"> & { readonly secret?: true };
type Defaulted<T> = Definition<T> & { readonly default: string };
type Optional<T> = Definition<T> & { readonly whenUnset?: string };

/** Makers of the variables of one group. */
export function variablesOf(group: VariableGroup): {
  defaulted: <T>(definition: Defaulted<T>) => DefaultedVariable<T>;
  optional: <T>(definition: Optional<T>) => OptionalVariable<T>;
  required: <T>(definition: Definition<T>) => RequiredVariable<T>;
} {
  return {
    defaulted: (definition) => ({ ...definition, group, secret: definition.secret ?? false, presence: "defaulted" }),
    optional: (definition) => ({ ...definition, group, secret: definition.secret ?? false, presence: "optional" }),
    required: (definition) => ({ ...definition, group, secret: definition.secret ?? false, presence: "required" }),
  };
}
