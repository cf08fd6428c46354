import { Secret } from "../lib/secret.ts";
import { matching, read, type Format } from "./format.ts";

/** Says what is wrong with a private key, without repeating any of it; undefined when it can sign. */
export type CheckPem = (pem: string) => string | undefined;

const KMS_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key\/[A-Za-z0-9-]+|alias\/[A-Za-z0-9/_-]+)$/;

/** A key or alias ARN of KMS. Handed on exactly as written: key policies condition on `kms:RequestAlias`. */
export const kmsKeyArn: Format<string> = matching(
  "the ARN of a KMS key or alias: arn:aws:kms:REGION:ACCOUNT:key/ID or …:alias/NAME",
  KMS_ARN,
  "is not the ARN of a KMS key or alias",
);

/** A PEM private key in which a literal `\n` stands for a line break, as one-line environment files need it. */
export const privateKeyPem: Format<Secret> = {
  accepted: "an RSA private key in PEM form, PKCS#1 or PKCS#8",
  read: (text) => read(new Secret(unfoldPem(text))),
};

/** Real line breaks for literal `\n` and for CRLF. */
export function unfoldPem(text: string): string {
  return text.replaceAll("\\r", "").replaceAll("\\n", "\n").replaceAll("\r\n", "\n");
}
