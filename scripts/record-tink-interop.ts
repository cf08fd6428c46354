/**
 * Writes tests/vectors/tink-interop/vectors.json anew: keysets of ours with a ciphertext of tink-go's, and a ciphertext of ours that
 * tink-go has opened. Needs Go. Run it when the keyset writer, the ciphers or the templates change.
 *
 *   bun scripts/record-tink-interop.ts
 */
import { systemRandom } from "../src/lib/random.ts";
import { createAead } from "../src/tink/create-aead.ts";
import { writeKeysetBinary } from "../src/tink/keyset-binary.ts";
import { createCountingRandom, createOneKeyKeysets } from "../tests/support/interop-keysets.ts";
import { buildTinkGo } from "../tests/support/tink-go.ts";

await using tinkGo = await buildTinkGo();
const plaintext = new TextEncoder().encode('{"token":"ghs_for_tests"}');
const associatedData = new TextEncoder().encode("default-profile:v1:111:222:profile://organization/acme/profile/p");
const vectors: unknown[] = [];
for (const [name, created] of createOneKeyKeysets(systemRandom)) {
  const keyset = writeKeysetBinary(created);
  const sealedByUs = createAead(created, createCountingRandom()).seal(plaintext, associatedData);
  const onKeyset = { kind: "binary", keyset, associatedData } as const;
  const [sealed, opened] = await tinkGo([
    { do: "seal", ...onKeyset, plaintext },
    { do: "open", ...onKeyset, ciphertext: sealedByUs },
  ]);
  if (sealed?.ok !== true || opened?.ok !== true || !Buffer.from(opened.bytes).equals(plaintext)) {
    throw new Error(`tink-go does not agree about ${name}`);
  }
  vectors.push({ name, keyset: keyset.toHex(), sealedByTinkGo: sealed.bytes.toHex(), sealedByUs: sealedByUs.toHex() });
}
const document = { plaintext: plaintext.toHex(), associatedData: associatedData.toHex(), vectors };
await Bun.write("tests/vectors/tink-interop/vectors.json", `${JSON.stringify(document, null, 1)}\n`);
console.log(`${vectors.length} vectors`);
