/** One request of AWS JSON 1.1, as it arrived. */
export interface AwsRequest {
  /** `Sign`, `GetSecretValue`. */
  readonly operation: string;
  readonly input: Readonly<Record<string, any>>;
  /** The whole `Authorization` header. */
  readonly authorization: string;
}

export type AwsAnswer = (request: AwsRequest) => Response | Promise<Response>;

export interface AwsJsonServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly AwsRequest[];
}

/** A server that speaks AWS JSON 1.1 as far as the SDK's clients of KMS and Secrets Manager need it. */
export function startAwsJsonServer(answer: AwsAnswer): AwsJsonServer {
  const requests: AwsRequest[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const seen = {
        operation: request.headers.get("x-amz-target")?.split(".")[1] ?? "",
        input: JSON.parse(await request.text()),
        authorization: request.headers.get("authorization") ?? "",
      };
      requests.push(seen);
      return answer(seen);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** An error as AWS JSON 1.1 has it, with a message that must never be repeated. */
export function awsError(name: string, status = 400): Response {
  const body = {
    __type: `com.amazonaws.service#${name}`,
    message: `canary-text arn:aws:kms:eu-west-1:1:key/canary: ${name}`,
  };
  return Response.json(body, { status, headers: { "x-amzn-requestid": "11111111-2222-3333-4444-555555555555" } });
}
