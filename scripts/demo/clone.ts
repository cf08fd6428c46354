import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGitServer } from "../../src/simulator/git-server.ts";
import type { Simulator } from "../../src/simulator/simulator.ts";
import type { Bridge } from "../../tests/support/bridge.ts";
import { showStep, tone, type Stage } from "./stage.ts";

/** A real `git clone` with what the service answers git, against a server that takes nothing but live installation tokens. */
export async function playClone(stage: Stage, simulator: Simulator, bridge: Bridge): Promise<void> {
  showStep("git asks for credentials and clones with them");
  console.log(`  ${tone.dim("announced:")} the token opens acme/widget and nothing else; without it nothing opens`);
  const folder = await mkdtemp(join(tmpdir(), "chinmina-clone-"));
  try {
    await using server = await startGitServer(simulator, join(folder, "served"));
    const answer = await askCredentials(stage, simulator, bridge);
    const password = /^password=(.+)$/m.exec(answer)?.[1] ?? "";
    console.log(
      `  ${tone.dim("reply:")} ${answer
        .replace(password, `${password.slice(0, 8)}…`)
        .trim()
        .replaceAll("\n", " ")}`,
    );
    const clone = (repository: string, token?: string) =>
      cloneTo(`${server.url}/${repository}.git`, join(folder, repository.replace("/", "-")), token);
    stage.check("git clone acme/widget works with it", await clone("acme/widget", password));
    const files = await readdir(join(folder, "acme-widget")).catch((): string[] => []);
    stage.check("the clone has the repository's README.md", files.includes("README.md"));
    stage.check("git clone acme/gadget does not", !(await clone("acme/gadget", password)));
    stage.check("git clone acme/widget without it does not", !(await clone("acme/widget")));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function askCredentials(stage: Stage, simulator: Simulator, bridge: Bridge): Promise<string> {
  stage.requests += 1;
  const jwt = simulator.oidc.issueToken({}, { jobId: simulator.jobOf("widget").id });
  const response = await fetch(`${bridge.url}/git-credentials`, {
    method: "POST",
    headers: { authorization: `Bearer ${jwt}` },
    body: "protocol=https\nhost=github.com\npath=acme/widget.git\n\n",
  });
  return response.text();
}

async function cloneTo(url: string, folder: string, token?: string): Promise<boolean> {
  const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
  const header = token === undefined ? [] : ["-c", `http.extraHeader=Authorization: Basic ${basic}`];
  const child = Bun.spawn(["git", "-c", "credential.helper=", ...header, "clone", "--quiet", url, folder], {
    env: { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_ASKPASS: "" },
    stdin: "ignore",
    stderr: "ignore",
  });
  return (await child.exited) === 0;
}
