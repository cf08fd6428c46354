import { describe, expect, test } from "bun:test";
import type { Environment } from "../../../src/config/environment-reader.ts";
import { runCaptured } from "../../support/command-io.ts";

describe("healthcheck asks", () => {
  const targets: readonly [argv: readonly string[], environment: Environment, url: string][] = [
    [[], {}, "http://127.0.0.1:8080/healthcheck"],
    [[], { SERVER_PORT: "9090", SERVER_BASE_PATH: "api/" }, "http://127.0.0.1:9090/api/healthcheck"],
    [[], { SERVER_HOST: "10.1.2.3" }, "http://10.1.2.3:8080/healthcheck"],
    [[], { SERVER_HOST: "::1" }, "http://[::1]:8080/healthcheck"],
    [[], { SERVER_HOST: "[::1]" }, "http://[::1]:8080/healthcheck"],
    [[], { SERVER_HOST: "bridge.internal" }, "http://bridge.internal:8080/healthcheck"],
    [[], { SERVER_HOST: "0.0.0.0" }, "http://127.0.0.1:8080/healthcheck"],
    [[], { SERVER_HOST: "::" }, "http://127.0.0.1:8080/healthcheck"],
    [["--port", "1", "--base-path", "/b"], {}, "http://127.0.0.1:1/b/healthcheck"],
    [["--port=1"], { SERVER_PORT: "nonsense", SERVER_BASE_PATH: "/b" }, "http://127.0.0.1:1/b/healthcheck"],
    [["--base-path=/b"], { SERVER_PORT: "2", SERVER_BASE_PATH: "//" }, "http://127.0.0.1:2/b/healthcheck"],
    [["--url", "https://bridge.example/up?x=1"], {}, "https://bridge.example/up?x=1"],
    [["--url", "http://a.example:1"], { SERVER_PORT: "nonsense", SERVER_HOST: "///" }, "http://a.example:1/"],
    [["--url=HTTP://a.example/", "--port", "nonsense", "--base-path", "//"], {}, "http://a.example/"],
    [[], { GITHUB_APP_ID: "nonsense" }, "http://127.0.0.1:8080/healthcheck"],
  ];

  test.each(targets)("for %j with %j: %s", async (argv, environment, url) => {
    const asked: unknown[] = [];
    const result = await runCaptured(["healthcheck", ...argv], {
      environment,
      fetch: (target, init) => {
        asked.push([target, { ...init, signal: init.signal instanceof AbortSignal }]);
        return Promise.resolve(new Response("OK"));
      },
    });
    expect(result).toEqual({ code: 0, out: "", err: "" });
    const init = {
      signal: true,
      redirect: "manual",
      proxy: false,
      keepalive: false,
      tls: { rejectUnauthorized: true },
    };
    expect(asked).toEqual([[url, init]]);
  });
});

describe("healthcheck is exit 1 with one line, and asks nobody,", () => {
  test.each<[readonly string[], Environment, string]>([
    [["--timeout", "2"], {}, "--timeout is not a time such as 2s or 500ms, from 1ms to 600s"],
    [["--timeout", "0s"], {}, "--timeout is not a time such as 2s or 500ms, from 1ms to 600s"],
    [["--timeout", "601s"], {}, "--timeout is not a time such as 2s or 500ms, from 1ms to 600s"],
    [["--timeout", "1.5s"], {}, "--timeout is not a time such as 2s or 500ms, from 1ms to 600s"],
    [["--timeout", "2S"], {}, "--timeout is not a time such as 2s or 500ms, from 1ms to 600s"],
    [["--timeout"], {}, "--timeout needs a value: --timeout 2s"],
    [["--timeout", "-1s"], {}, "--timeout needs a value: --timeout 2s"],
    [["--port", "65536"], {}, "--port is out of range; accepted: a whole number from 0 to 65535"],
    [["--port", "0"], {}, "--port is 0, which names no port to ask"],
    [["--port="], {}, "--port needs a value: --port PORT"],
    [["--base-path", "/a//b"], {}, "--base-path has an empty segment (//); accepted: "],
    [["--url", "/healthcheck"], {}, "--url is not an absolute http or https URL"],
    [["--url", "127.0.0.1:8080"], {}, "--url is not an absolute http or https URL"],
    [["--url", "file:///etc/passwd"], {}, "--url is not an absolute http or https URL"],
    [["--url", "https://"], {}, "--url is not an absolute http or https URL"],
    [["--retries", "3"], {}, "unknown option --retries"],
    [["now"], {}, "healthcheck takes no arguments"],
    [[], { SERVER_PORT: "http" }, "SERVER_PORT is not a whole number; accepted: a whole number from 0 to 65535"],
    [[], { SERVER_PORT: "0" }, "SERVER_PORT is 0, which names no port to ask"],
    [[], { SERVER_HOST: "a/b" }, "SERVER_HOST is no host name and no IP address; accepted: "],
    [[], { SERVER_BASE_PATH: "/a/../b" }, "SERVER_BASE_PATH has a . or .. segment; accepted: "],
  ])("for %j with %j", async (argv, environment, line) => {
    const { code, out, err } = await runCaptured(["healthcheck", ...argv], { environment });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toStartWith(`error: ${line}`);
    expect(err.indexOf("\n")).toBe(err.length - 1);
  });
});

test("healthcheck shows neither user nor query of --url", async () => {
  const { err } = await runCaptured(["healthcheck", "--url", "http://user:pass@a.example/x?token=t"]);
  expect(err).toBe("error: http://a.example/x: no answer (failed)\n");
});
