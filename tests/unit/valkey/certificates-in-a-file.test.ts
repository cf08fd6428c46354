import { describe, expect, test } from "bun:test";
import { findCertificates } from "../../../src/valkey/tls.ts";
import { createCertificateAuthority } from "../../support/valkey/certificates.ts";

const { ca, issue } = createCertificateAuthority();
const pem = ca.trim();

describe("findCertificates()", () => {
  test.each([
    ["one", ca, pem],
    ["several, with text between them", `# one\n${ca}\n# two\n${ca}`, `${pem}\n${pem}`],
    ["one behind a byte-order mark", `\uFEFF${ca}`, pem],
    ["one beside a key, which is left alone", issue("key", ["localhost"]).key + ca, pem],
  ])("finds %s", (_what, text, found) => {
    expect(findCertificates(text)).toBe(found);
  });

  test.each([
    ["nothing", ""],
    ["text", "not a certificate"],
    ["a key", issue("another-key", ["localhost"]).key],
    ["one without an end", ca.slice(0, -20)],
    ["one whose bytes are none", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"],
    ["a good one and a broken one", `${ca}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`],
  ])("finds none in %s", (_what, text) => {
    expect(findCertificates(text)).toBeUndefined();
  });
});
