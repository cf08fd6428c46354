import { REMEDIES } from "../../profiles/remedies.ts";
import type { CheckedFile } from "./checked-file.ts";

/**
 * Workflow commands that put each finding beside its line (docs.github.com, "Workflow commands for GitHub Actions"). GitHub shows ten
 * errors and ten warnings of a step.
 */
export function formatAnnotations(checked: readonly CheckedFile[]): string {
  return checked
    .flatMap(({ path, findings }) =>
      findings.map(({ severity, code, message, line, column, profile }) => {
        const whose = profile === undefined ? "" : `${profile}: `;
        const properties = `file=${property(path)},line=${line},col=${column},title=${property(code)}`;
        return `::${severity} ${properties}::${data(`${whose}${message}. To mend it: ${REMEDIES[code]}`)}\n`;
      }),
    )
    .join("");
}

/** What would end the command or begin another one. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
