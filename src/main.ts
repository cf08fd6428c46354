import { serve } from "./app/serve.ts";
import { processEnvironment } from "./config/process-environment.ts";

process.exit(await serve(processEnvironment(), (line) => process.stderr.write(`${line}\n`)));
