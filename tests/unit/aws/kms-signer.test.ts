import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { createAwsClients, type AwsClients } from "../../../src/aws/clients.ts";
import { createKmsSigner } from "../../../src/aws/kms-signer.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { UpstreamFault } from "../../../src/lib/upstream-fault.ts";
import { useAwsEnvironment } from "../../support/aws-environment.ts";
import { awsError, startAwsJsonServer, type AwsJsonServer, type AwsRequest } from "../../support/aws-json-server.ts";
import { createFixedClock } from "../../support/fixed-clock.ts";
import { rejection } from "../../support/rejection.ts";

const ALIAS = "arn:aws:kms:eu-west-1:123456789012:alias/Chinmina_App/1";
const MESSAGE = new TextEncoder().encode("header.payload");
const SIGNATURE = Buffer.alloc(256, 7);
const credentials = async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" });

let server: AwsJsonServer;
let environment: Disposable;
/** By the name of the alias, so that cases can run beside each other. */
const answers = new Map<string, (request: AwsRequest) => Response | Promise<Response>>();

beforeAll(() => {
  server = startAwsJsonServer((request) => {
    const answer = answers.get(request.input["KeyId"]);
    return answer === undefined ? Response.json({ Signature: SIGNATURE.toString("base64") }) : answer(request);
  });
  environment = useAwsEnvironment({ AWS_ENDPOINT_URL_KMS: server.url, AWS_ENDPOINT_URL: "http://127.0.0.1:1" });
});

afterEach(() => answers.clear());

afterAll(async () => {
  environment[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

function clients(clock = systemClock): AwsClients {
  return createAwsClients(credentials, clock);
}

describe("createKmsSigner()", () => {
  test("hands the ARN on as written and sends the digest, signed for the ARN's region", async () => {
    using aws = clients();
    const before = server.requests.length;
    const signature = await createKmsSigner(aws, ALIAS).sign(MESSAGE);
    expect(Buffer.from(signature)).toEqual(SIGNATURE);
    const [request] = server.requests.slice(before);
    expect(request).toMatchObject({
      operation: "Sign",
      input: {
        KeyId: ALIAS,
        Message: createHash("sha256").update(MESSAGE).digest("base64"),
        MessageType: "DIGEST",
        SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256",
      },
    });
    expect(request?.authorization).toContain("/eu-west-1/kms/aws4_request");
  });

  const refusals: readonly (readonly [string, number?])[] = [
    ["AccessDeniedException"],
    ["NotFoundException"],
    ["DisabledException"],
    ["InvalidKeyUsageException"],
    ["KMSInvalidStateException"],
    ["InvalidGrantTokenException"],
    ["UnrecognizedClientException"],
    ["InvalidSignatureException", 403],
    ["SomethingNewException"],
  ];
  test.each(refusals)("%s is a refusal, named and without AWS's text", async (name, status = 400) => {
    expect(await faultOf(name, () => awsError(name, status))).toEqual({
      code: "upstream-refused",
      message: `kms: sign App JWT: ${name} (status ${status}, request 11111111-2222-3333-4444-555555555555)`,
      attempts: 1,
    });
  });

  // Each is tried three times with the SDK's pauses between: beside each other they cost a second, not ten.
  test("throttling, 5xx, KMS's own troubles and lapsed credentials are outages", async () => {
    const outages: readonly (readonly [string, number, number])[] = [
      ["ThrottlingException", 400, 3],
      ["TooManyRequestsException", 429, 3],
      ["RequestLimitExceeded", 503, 3],
      ["KMSInternalException", 500, 3],
      ["DependencyTimeoutException", 503, 3],
      ["KeyUnavailableException", 500, 3],
      ["ServiceUnavailable", 503, 3],
      ["ExpiredTokenException", 400, 1],
    ];
    const results = await Promise.all(
      outages.map(async ([name, status]) => (await faultOf(name, () => awsError(name, status))).code),
    );
    expect(results).toEqual(outages.map(() => "upstream-unavailable"));
    const asked = outages.map(([name]) => requestsFor(name));
    expect(asked).toEqual(outages.map(([, , attempts]) => attempts));
  });

  test("a bad gateway's page is an outage; a page, broken JSON, a redirect or a long reply with another status is malformed", async () => {
    const cases = {
      gateway: () => new Response("<html>canary-text</html>", { status: 502 }),
      page: () => new Response("<html>canary-text</html>"),
      forbidden: () => new Response("<html>canary-text</html>", { status: 403 }),
      truncated: () => new Response('{"Signature":"canary-text'),
      redirect: () => new Response(null, { status: 307, headers: { location: `${server.url}/elsewhere` } }),
      long: () => Response.json({ Signature: "A".repeat(2 * 1024 * 1024) }),
      none: () => Response.json({}),
      short: () => Response.json({ Signature: Buffer.alloc(255).toString("base64") }),
    };
    const results = await Promise.all(
      Object.entries(cases).map(async ([name, answer]) => [name, await faultOf(name, answer)] as const),
    );
    expect(Object.fromEntries(results.map(([name, { code }]) => [name, code]))).toEqual({
      gateway: "upstream-unavailable",
      page: "upstream-malformed",
      forbidden: "upstream-malformed",
      truncated: "upstream-malformed",
      redirect: "upstream-malformed",
      long: "upstream-malformed",
      none: "upstream-malformed",
      short: "upstream-malformed",
    });
    expect(JSON.stringify(results)).not.toContain("canary");
  });

  test("a reply that breaks off is an outage, whatever its status said", async () => {
    const whole = '{"Signature":"canary-text"}';
    const half = `HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: ${whole.length}\r\n\r\n${whole.slice(0, 9)}`;
    using cutting = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: { data: (socket) => void socket.end(half) },
    });
    using _ = useAwsEnvironment({ AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${cutting.port}` });
    using aws = clients();
    expect(await rejection(createKmsSigner(aws, ALIAS).sign(MESSAGE))).toMatchObject({
      code: "upstream-unavailable",
      message: "kms: sign App JWT: network failure ECONNRESET",
    });
  });

  test("no answer within ten seconds is an outage, and the request is ended", async () => {
    const clock = createFixedClock();
    using aws = clients(clock);
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    answers.set(arnOf("hang"), () => {
      arrive();
      return new Promise<Response>(() => undefined);
    });
    const signing = createKmsSigner(aws, arnOf("hang")).sign(MESSAGE);
    await arrived;
    clock.advance(10_000);
    expect(await rejection(signing)).toMatchObject({
      code: "upstream-unavailable",
      message: "kms: sign App JWT: no complete reply in time",
    });
    expect(clock.pending()).toBe(0);
  });

  test("credentials that never come do not hold a call past its deadline", async () => {
    const clock = createFixedClock();
    using aws = createAwsClients(() => new Promise(() => undefined), clock);
    const signing = createKmsSigner(aws, ALIAS).sign(MESSAGE);
    clock.advance(10_000);
    expect(await rejection(signing)).toMatchObject({ code: "upstream-unavailable" });
  });

  test("credentials that cannot be had are the credentials' fault, not KMS's", async () => {
    const fault = new UpstreamFault("upstream-unavailable", "load AWS credentials", { upstream: "aws-credentials" });
    using aws = createAwsClients(() => Promise.reject(fault), systemClock);
    expect(await rejection(createKmsSigner(aws, ALIAS).sign(MESSAGE))).toBe(fault);
  });

  test("a caller who gives up gets his own reason, at once", async () => {
    using aws = clients();
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    answers.set(arnOf("abandoned"), () => {
      arrive();
      return new Promise<Response>(() => undefined);
    });
    const caller = new AbortController();
    const reason = new Error("gone");
    const signing = createKmsSigner(aws, arnOf("abandoned")).sign(MESSAGE, caller.signal);
    await arrived;
    caller.abort(reason);
    expect(await rejection(signing)).toBe(reason);
    expect(await rejection(createKmsSigner(aws, ALIAS).sign(MESSAGE, caller.signal))).toBe(reason);
  });

  test("a server that refuses connections is an outage", async () => {
    using _ = useAwsEnvironment({ AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:1" });
    using aws = clients();
    expect(await rejection(createKmsSigner(aws, ALIAS).sign(MESSAGE))).toMatchObject({
      code: "upstream-unavailable",
      message: "kms: sign App JWT: network failure ECONNREFUSED",
    });
  });

  test.each(["", "alias/x", "arn:aws:kms", "arn:aws:kms::1:key/x"])("refuses %p, which has no region", (arn) => {
    using aws = clients();
    expect(() => createKmsSigner(aws, arn)).toThrow(TypeError);
  });
});

function arnOf(name: string): string {
  return `arn:aws:kms:eu-west-1:123456789012:alias/${name}`;
}

function requestsFor(name: string): number {
  return server.requests.filter(({ input }) => input["KeyId"] === arnOf(name)).length;
}

async function faultOf(
  name: string,
  answer: () => Response,
): Promise<{ code: string; message: string; attempts: number }> {
  using aws = clients();
  answers.set(arnOf(name), answer);
  const error: unknown = await createKmsSigner(aws, arnOf(name))
    .sign(MESSAGE)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  if (!(error instanceof UpstreamFault)) throw new Error(`${name}: no fault`);
  // Nothing below it either: causes are logged.
  expect(error.cause).toBeUndefined();
  return { code: error.code, message: error.message, attempts: requestsFor(name) };
}
