/**
 * Writes docs/configuration.md from the table that the service itself reads its environment by, so that neither can say
 * what the other does not.
 *
 * Run after a change in `src/config`: `bun scripts/generate-configuration.ts`. With `--check` nothing is written, and the
 * exit status is 1 when the committed page differs.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { renderConfigurationReference } from "./configuration/render.ts";

const TARGET = fileURLToPath(new URL("../docs/configuration.md", import.meta.url));

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const page = await renderConfigurationReference();

if (!values.check) {
  await Bun.write(TARGET, page);
} else if ((await Bun.file(TARGET).text()) !== page) {
  console.error("docs/configuration.md is not what src/config says: run bun scripts/generate-configuration.ts");
  process.exitCode = 1;
}
