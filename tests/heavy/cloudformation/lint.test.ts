import { expect, test } from "bun:test";
import { join } from "node:path";
import { shippedTemplates } from "../../support/cloudformation.ts";
import { INSTALL_TIMEOUT_MS, installPythonTools } from "../../support/python-tools.ts";

test(
  "cfn-lint has nothing to say about the templates",
  async () => {
    const programs = await installPythonTools(
      "cfn-lint",
      ["cfn-lint==1.58.0"],
      "checks of the CloudFormation templates",
    );
    const deploy = join(import.meta.dir, "../../../deploy");
    const files = shippedTemplates().map((file) => join(deploy, "aws", file));
    files.push(join(deploy, "observability/cloudwatch.yaml"));
    const { exitCode, stdout, stderr } = Bun.spawnSync([
      join(programs, "cfn-lint"),
      "--include-checks",
      "I",
      "--",
      ...files,
    ]);
    expect({ exitCode, output: `${stdout.toString()}${stderr.toString()}` }).toEqual({ exitCode: 0, output: "" });
  },
  INSTALL_TIMEOUT_MS,
);
