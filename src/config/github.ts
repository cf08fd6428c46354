import { parseAppRegistry } from "./app-registry.ts";
import type { AppConfiguration, AppKeySource, GitHubConfiguration } from "./configuration.ts";
import type { EnvironmentReader } from "./environment-reader.ts";
import { read, refused, secretDocument, type Format } from "./format.ts";
import { kmsKeyArn, privateKeyPem, type CheckPem } from "./key-format.ts";
import { originUrl, serviceUrl } from "./url-format.ts";
import { variablesOf } from "./variable.ts";

const { defaulted, optional, required } = variablesOf("github");

const identifier: Format<number> = {
  accepted: "a positive whole number",
  read: (text) => {
    const value = Number(text);
    return /^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0
      ? read(value)
      : refused("is no positive number");
  },
};

/** The Apps that mint, and the GitHub they belong to. */
export const GITHUB = {
  appId: required({
    name: "GITHUB_APP_ID",
    meaning: "The id of the GitHub App named default.",
    format: identifier,
  }),
  installationId: required({
    name: "GITHUB_APP_INSTALLATION_ID",
    meaning: "The id of that App's installation on your organization.",
    format: identifier,
  }),
  privateKey: optional({
    name: "GITHUB_APP_PRIVATE_KEY",
    whenUnset: "GITHUB_APP_PRIVATE_KEY_ARN is required",
    meaning: "That App's private key, PEM, PKCS#1 or PKCS#8; a literal \\n stands for a line break.",
    secret: true,
    format: privateKeyPem,
  }),
  privateKeyArn: optional({
    name: "GITHUB_APP_PRIVATE_KEY_ARN",
    whenUnset: "GITHUB_APP_PRIVATE_KEY is required",
    meaning: "The KMS key (RSA, SIGN_VERIFY) or alias that holds that App's private key; wins when both are set.",
    format: kmsKeyArn,
  }),
  otherApps: optional({
    name: "GITHUB_APPS",
    whenUnset: "only the App named default",
    meaning: "More Apps that profiles choose by name.",
    secret: true,
    format: secretDocument(
      'a JSON array of {"name", "appId", "installationId"} with either "privateKeyArn" or "privateKey"',
    ),
  }),
  apiUrl: defaulted({
    name: "GITHUB_API_URL",
    default: "https://api.github.com",
    meaning: "GitHub's REST API; https://HOST/api/v3 for GitHub Enterprise Server.",
    format: serviceUrl,
  }),
  webUrl: optional({
    name: "GITHUB_URL",
    whenUnset: "follows from GITHUB_API_URL",
    meaning: "The web URL whose host repositories have.",
    format: originUrl,
  }),
} as const;

export function readGitHub(reader: EnvironmentReader, checkPem: CheckPem): GitHubConfiguration | undefined {
  const defaultApp = readDefaultApp(reader, checkPem);
  const otherApps = readOtherApps(reader, checkPem);
  const apiUrl = reader.read(GITHUB.apiUrl);
  const webUrl = reader.read(GITHUB.webUrl) ?? webUrlOf(apiUrl);
  return defaultApp === undefined ? undefined : { apiUrl, webUrl, defaultApp, otherApps };
}

export type AppIds = Pick<AppConfiguration, "name" | "appId" | "installationId">;

/** The Apps by name and ids. Their keys are looked at no further than finding the ids takes. */
export function readAppIds(reader: EnvironmentReader): readonly AppIds[] {
  const appId = reader.read(GITHUB.appId);
  const installationId = reader.read(GITHUB.installationId);
  const others = readOtherApps(reader, () => undefined);
  return appId === undefined || installationId === undefined
    ? []
    : [{ name: "default", appId, installationId }, ...others];
}

/** The web URL that goes with an API URL: GitHub Enterprise Server's, GitHub Enterprise Cloud's with a domain of its own, else github.com. */
export function webUrlOf(apiUrl: URL): URL {
  if (apiUrl.pathname === "/api/v3") return new URL(apiUrl.origin);
  const tenant = /^api\.([a-z0-9-]+\.ghe\.com)$/.exec(apiUrl.hostname)?.[1];
  return new URL(tenant === undefined ? "https://github.com" : `https://${tenant}`);
}

function readDefaultApp(reader: EnvironmentReader, checkPem: CheckPem): AppConfiguration | undefined {
  const appId = reader.read(GITHUB.appId);
  const installationId = reader.read(GITHUB.installationId);
  const key = readDefaultKey(reader, checkPem);
  if (appId === undefined || installationId === undefined || key === undefined) return undefined;
  return { name: "default", appId, installationId, key };
}

function readDefaultKey(reader: EnvironmentReader, checkPem: CheckPem): AppKeySource | undefined {
  const before = reader.problems.length;
  const pem = reader.read(GITHUB.privateKey);
  const arn = reader.read(GITHUB.privateKeyArn);
  if (arn !== undefined) {
    if (pem !== undefined) reader.warn(GITHUB.privateKey, "is ignored: GITHUB_APP_PRIVATE_KEY_ARN is set and wins");
    return { kind: "privateKeyArn", arn };
  }
  if (pem === undefined) {
    if (reader.problems.length === before) {
      reader.refuse(GITHUB.privateKeyArn, "is required, or else GITHUB_APP_PRIVATE_KEY");
    }
    return undefined;
  }
  const problem = checkPem(pem.reveal());
  if (problem !== undefined) reader.refuse(GITHUB.privateKey, problem);
  return { kind: "privateKey", pem };
}

function readOtherApps(reader: EnvironmentReader, checkPem: CheckPem): readonly AppConfiguration[] {
  const json = reader.read(GITHUB.otherApps);
  const { apps, problems } = parseAppRegistry(json?.reveal() ?? "", checkPem);
  for (const problem of problems) reader.refuse(GITHUB.otherApps, problem);
  return apps;
}
