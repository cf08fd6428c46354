const VERSIONS = { cloudformation: "2010-05-15", ec2: "2016-11-15" } as const;

/** One call of AWS's Query protocol to an emulator that verifies no signature. Resolves with the reply's XML; throws with the emulator's own words. */
export function callAws(
  url: string,
  service: keyof typeof VERSIONS,
  action: string,
  input: Readonly<Record<string, string>>,
): Promise<string> {
  return send(url, service, action, new URLSearchParams({ Action: action, Version: VERSIONS[service], ...input }), {});
}

/** Resolves with the ARN of a certificate that nobody issued. */
export async function requestCertificate(url: string, DomainName: string): Promise<string> {
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    "x-amz-target": "CertificateManager.RequestCertificate",
  };
  const reply = await send(url, "acm", "RequestCertificate", JSON.stringify({ DomainName }), headers);
  return /"CertificateArn": ?"([^"]+)"/.exec(reply)?.[1] ?? "";
}

async function send(
  url: string,
  service: string,
  action: string,
  body: string | URLSearchParams,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  // The service is read from the credential's scope.
  const authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  const response = await fetch(url, { method: "POST", body, headers: { ...headers, authorization } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${action}: ${response.status} ${text.slice(0, 500)}`);
  return text;
}
