import { fileVariableOf, type DefaultedVariable, type OptionalVariable, type RequiredVariable } from "./variable.ts";
import type { Variable } from "./variable.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Something that stops the start. Never holds the value of a variable. */
export interface Problem {
  readonly variable: string;
  readonly problem: string;
  readonly accepted: string;
}

/** Something legal that is dangerous, ignored or probably a slip. */
export interface Warning {
  readonly variable: string;
  readonly warning: string;
}

/** A variable as it is in force, fit to be shown: a secret's value is masked. */
export interface Setting {
  readonly variable: string;
  readonly value: string;
  readonly origin: "default" | "environment" | "file";
}

/** Reads the file that a `NAME_FILE` variable names. Throws when it cannot. */
export type ReadFile = (path: string) => string;

interface Found {
  readonly text: string;
  readonly origin: Setting["origin"];
}

/**
 * Reads variables one by one and remembers everything that is wrong, so that all of it can be told at once.
 *
 * An unset variable is absent or empty. After a problem, `read` gives the default or undefined: what is built from it
 * must not be used, which `problems` tells.
 */
export class EnvironmentReader {
  readonly problems: Problem[] = [];
  readonly warnings: Warning[] = [];
  readonly settings: Setting[] = [];
  readonly #environment: Environment;
  readonly #readFile: ReadFile;

  constructor(environment: Environment, readFile: ReadFile) {
    this.#environment = environment;
    this.#readFile = readFile;
  }

  read<T>(variable: DefaultedVariable<T>): T;
  read<T>(variable: OptionalVariable<T> | RequiredVariable<T>): T | undefined;
  read<T>(variable: Variable<T>): T | undefined {
    const before = this.problems.length;
    const found = this.#find(variable);
    if (found === undefined) {
      if (variable.presence === "required" && this.problems.length === before) this.refuse(variable, "is required");
      return variable.presence === "defaulted" ? defaultOf(variable) : undefined;
    }
    this.settings.push({
      variable: variable.name,
      value: variable.secret ? "[redacted]" : found.text,
      origin: found.origin,
    });
    const reading = variable.format.read(found.text);
    if (reading.kind === "read") return reading.value;
    this.refuse(variable, reading.problem);
    return variable.presence === "defaulted" ? defaultOf(variable) : undefined;
  }

  /** Whether someone set it, here or by its file, to whatever value. */
  isSet(variable: Variable): boolean {
    return (
      this.#given(variable.name) !== undefined ||
      (variable.secret && this.#given(fileVariableOf(variable)) !== undefined)
    );
  }

  refuse(variable: Variable, problem: string, accepted: string = variable.format.accepted): void {
    this.problems.push({ variable: variable.name, problem, accepted });
  }

  warn(variable: Variable, warning: string): void {
    this.warnings.push({ variable: variable.name, warning });
  }

  #given(name: string): string | undefined {
    const value = this.#environment[name];
    return value === "" ? undefined : value;
  }

  #find(variable: Variable): Found | undefined {
    const text = this.#given(variable.name);
    const path = variable.secret ? this.#given(fileVariableOf(variable)) : undefined;
    if (path !== undefined && text !== undefined) {
      this.refuse(variable, `is set, and ${fileVariableOf(variable)} is too`, "one of the two");
      return undefined;
    }
    if (path !== undefined) return this.#readSecretFile(fileVariableOf(variable), path);
    if (text !== undefined) return { text, origin: "environment" };
    return variable.presence === "defaulted" ? { text: variable.default, origin: "default" } : undefined;
  }

  /** The path is not repeated in problems: it may be the secret itself, set in the wrong variable. */
  #readSecretFile(name: string, path: string): Found | undefined {
    const accepted = "the path of a readable file that holds the value";
    try {
      const text = this.#readFile(path)
        .replace(/^\uFEFF/, "")
        .replaceAll("\r\n", "\n")
        .trim();
      if (text !== "") return { text, origin: "file" };
      this.problems.push({ variable: name, problem: "names an empty file", accepted });
    } catch (error) {
      const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
      const reason = typeof code === "string" ? ` (${code})` : "";
      this.problems.push({ variable: name, problem: `names a file that cannot be read${reason}`, accepted });
    }
    return undefined;
  }
}

function defaultOf<T>(variable: DefaultedVariable<T>): T {
  const reading = variable.format.read(variable.default);
  if (reading.kind === "read") return reading.value;
  throw new TypeError(`the default of ${variable.name} ${reading.problem}`);
}
