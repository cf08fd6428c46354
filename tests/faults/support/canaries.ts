import { randomBytes } from "node:crypto";

/** Stands in every body that a faulty upstream sends. Shaped like a token, because that is what must not be repeated. */
export const BODY_CANARY = `ghs_${randomBytes(30).toString("base64url").replaceAll(/[-_]/g, "x")}`;

/** Names of the secrets that occur in what was put out. Texts of a few characters would be found by chance, and count as a mistake here. */
export function findLeaks(output: string, secrets: ReadonlyMap<string, string>): readonly string[] {
  return [...secrets].flatMap(([name, secret]) => {
    if (secret.length < 8) throw new TypeError(`${name} is too short to be searched for`);
    return output.includes(secret) ? [name] : [];
  });
}
