/**
 * Writes tests/vectors/tink-interop/documents.json anew: one keyset with a key under each status in the four forms in which tink-go
 * writes it, the KMS of the encrypted ones doing nothing. Needs Go.
 *
 *   bun scripts/record-tink-documents.ts
 */
import { systemRandom } from "../src/lib/random.ts";
import { addKey, createKeyset, destroyKey, disableKey, promoteKey } from "../src/tink/edit-keyset.ts";
import { findTemplate } from "../src/tink/key-templates.ts";
import { writeKeysetBinary } from "../src/tink/keyset-binary.ts";
import { buildTinkGo, type KeysetKind } from "../tests/support/tink-go.ts";

const KINDS: readonly KeysetKind[] = ["json", "binary", "encrypted", "encrypted-binary"];

await using tinkGo = await buildTinkGo();
let keyset = createKeyset(findTemplate("AES256_GCM"), systemRandom);
const [first] = keyset.keys;
if (first === undefined) throw new Error("a new keyset has a key");
const second = addKey(keyset, findTemplate("AES128_GCM"), systemRandom);
const third = addKey(second.keyset, findTemplate("XCHACHA20_POLY1305"), systemRandom);
keyset = destroyKey(disableKey(promoteKey(third.keyset, third.keyId), second.keyId), first.keyId);
const binary = writeKeysetBinary(keyset);
const written = await tinkGo(KINDS.map((writeAs) => ({ do: "write", kind: "binary", keyset: binary, writeAs })));
const documents = KINDS.map((kind, index) => {
  const answer = written[index];
  if (answer?.ok !== true) throw new Error(`tink-go does not write ${kind}`);
  return { kind, document: answer.bytes.toHex() };
});
const { primaryKeyId, keys } = keyset;
const expected = { primaryKeyId, keys: keys.map(({ keyId, status }) => ({ keyId, status })) };
await Bun.write("tests/vectors/tink-interop/documents.json", `${JSON.stringify({ expected, documents }, null, 1)}\n`);
console.log(`${documents.length} documents`);
