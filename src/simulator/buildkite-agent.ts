import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { isJsonObject, parseJson } from "./json.ts";

// What a job finds as `buildkite-agent` in its PATH (agent-script.ts makes it that). It knows the two commands plugins need:
//   oidc request-token [--audience A] [--lifetime SECONDS] [--claim NAME[,NAME]]... [--job ID]
//   redactor add        (reads the text from standard input)

const OWN_OPTIONS = {
  issuer: { type: "string" },
  control: { type: "string" },
  job: { type: "string" },
  "agent-access-token": { type: "string" },
} as const;

try {
  process.stdout.write(await run(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`buildkite-agent (simulated): ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 1;
}

async function run(parameters: readonly string[]): Promise<string> {
  const end = parameters.indexOf("--");
  const { values: own } = parseArgs({ args: parameters.slice(0, end), options: OWN_OPTIONS });
  const [noun, verb, ...rest] = parameters.slice(end + 1);
  if (noun === "oidc" && verb === "request-token") return requestToken(own, rest);
  if (noun === "redactor" && verb === "add") return addRedaction(own.control ?? "");
  throw new Error(`unknown command ${noun ?? ""} ${verb ?? ""}`);
}

interface OwnValues {
  readonly issuer?: string | undefined;
  readonly job?: string | undefined;
  readonly "agent-access-token"?: string | undefined;
}

async function requestToken(own: OwnValues, parameters: string[]): Promise<string> {
  const { values } = parseArgs({
    args: parameters,
    options: {
      audience: { type: "string" },
      lifetime: { type: "string" },
      claim: { type: "string", multiple: true, default: [] },
      job: { type: "string" },
    },
  });
  const job = values.job ?? own.job;
  if (!job) throw new Error("no job: set BUILDKITE_JOB_ID or pass --job");
  const response = await fetch(`${own.issuer}/v3/jobs/${encodeURIComponent(job)}/oidc/tokens`, {
    method: "POST",
    headers: { authorization: `Token ${own["agent-access-token"]}`, "content-type": "application/json" },
    body: JSON.stringify({
      ...(values.audience === undefined ? {} : { audience: values.audience }),
      ...(values.lifetime === undefined ? {} : { lifetime: Number(values.lifetime) }),
      claims: values.claim.flatMap((names) => names.split(",")),
    }),
  });
  const reply = parseJson(await response.text());
  const token = isJsonObject(reply) ? reply["token"] : undefined;
  if (typeof token !== "string") throw new Error(`the issuer answered ${response.status}`);
  return `${token}\n`;
}

async function addRedaction(control: string): Promise<string> {
  const secret = (await text(process.stdin)).trim();
  const response = await fetch(`${control}/redactions`, { method: "POST", body: secret });
  if (!response.ok) throw new Error(`the simulator answered ${response.status}`);
  return "";
}
