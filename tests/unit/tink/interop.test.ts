import { describe, expect, test } from "bun:test";
import { createAead } from "../../../src/tink/create-aead.ts";
import { KEY_TEMPLATES } from "../../../src/tink/key-templates.ts";
import { parseBinaryKeyset } from "../../../src/tink/keyset-binary.ts";
import { createCountingRandom } from "../../support/interop-keysets.ts";
import { fromHex, readVectors } from "./vectors.ts";

interface InteropVector {
  readonly name: string;
  readonly keyset: string;
  readonly sealedByTinkGo: string;
  readonly sealedByUs: string;
}

const recorded = readVectors("tink-interop/vectors.json");
const vectors: readonly InteropVector[] = recorded.vectors;
const plaintext = fromHex(recorded.plaintext);
const associatedData = fromHex(recorded.associatedData);

describe("recorded with tink-go", () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))(
    "%s",
    (_, { keyset, sealedByTinkGo, sealedByUs }) => {
      const aead = createAead(parseBinaryKeyset(fromHex(keyset)), createCountingRandom());
      expect(aead.open(fromHex(sealedByTinkGo), associatedData)).toEqual(plaintext);
      // tink-go opened these very bytes.
      expect(aead.seal(plaintext, associatedData).toHex()).toBe(sealedByUs);
    },
  );

  test("every template is among them", () => {
    const names = new Set(vectors.map(({ name }) => name.split(" ")[0]));
    expect(names).toEqual(new Set(KEY_TEMPLATES.map(({ name }) => name)));
  });
});
