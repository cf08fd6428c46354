import { isLoopbackHost } from "../lib/loopback.ts";
import type { Environment, Problem } from "./environment-reader.ts";

const ENDPOINT = /^AWS_ENDPOINT_URL(_[A-Z0-9_]+)?$/;
const CREDENTIALS = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/**
 * Problems with the standard AWS variables that name a URL: http goes to this machine only, and for credentials to the
 * link-local addresses at which ECS (169.254.170.2) and EKS (169.254.170.23, fd00:ec2::23) serve them. Everything else
 * about these variables is the AWS SDK's to read.
 */
export function findInsecureAwsEndpoints(environment: Environment): readonly Problem[] {
  return Object.entries(environment).flatMap(([variable, value]) => {
    if (value === undefined || value === "" || !(ENDPOINT.test(variable) || variable === CREDENTIALS)) return [];
    if (!URL.canParse(value)) return [{ variable, problem: "is not a URL", accepted: "an absolute URL" }];
    const url = new URL(value);
    if (url.protocol === "https:" || isLoopbackHost(url.hostname)) return [];
    if (variable === CREDENTIALS && isCredentialHost(url.hostname)) return [];
    return [{ variable, problem: "is http, and not to this machine", accepted: "https (http for loopback only)" }];
  });
}

function isCredentialHost(hostname: string): boolean {
  return /^169\.254(\.\d{1,3}){2}$/.test(hostname) || hostname === "[fd00:ec2::23]" || hostname.startsWith("[fe80:");
}
