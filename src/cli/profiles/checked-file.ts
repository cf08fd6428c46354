import type { FileCheck } from "../../profiles/check-file.ts";

/** A file with what there is to say about it. */
export interface CheckedFile extends FileCheck {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export function summarize(checked: readonly CheckedFile[]): { readonly errors: number; readonly warnings: number } {
  const all = checked.flatMap(({ findings }) => findings);
  const errors = all.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: all.length - errors };
}
