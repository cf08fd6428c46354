import { join } from "node:path";

/** What the image sets (Dockerfile.chainguard): figures are of the service as it is shipped. */
export const IMAGE_SETTINGS: Readonly<Record<string, string>> = imageSettings(
  await Bun.file(join(import.meta.dir, "../../Dockerfile.chainguard")).text(),
);

function imageSettings(dockerfile: string): Record<string, string> {
  return Object.fromEntries(
    [...dockerfile.matchAll(/\b(BUN_JSC_\w+)=(\S+)/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}
