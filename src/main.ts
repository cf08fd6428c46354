import { processIo } from "./cli/process-io.ts";
import { run } from "./cli/run.ts";

// The clock's timers do not keep the process alive, and with nothing else to wait for Bun runs its loop without a pause.
setInterval(() => undefined, 2 ** 30);
process.exit(await run(process.argv.slice(2), processIo()));
