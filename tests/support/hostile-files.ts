export const MEBIBYTE = 1024 * 1024;

const profiles = (count: number, profile: (index: number) => string): string =>
  `pipeline:\n  profiles:\n${Array.from({ length: count }, (_, index) => `    - ${profile(index)}\n`).join("")}`;

/** Profile files that are meant to cost time or memory, by what they are. */
export const HOSTILE_FILES: Readonly<Record<string, string | Uint8Array>> = {
  "five mebibytes of profiles": profiles(80_000, (i) => `{name: p${i}, permissions: [contents:read], match: []}`),
  "five mebibytes of zeros": new Uint8Array(5 * MEBIBYTE),
  "five mebibytes of brackets": "[".repeat(5 * MEBIBYTE),
  "10,000 profiles": profiles(10_000, (i) => `{name: p${i}, permissions: [contents:read], match: []}`),
  "10,000 dangerous profiles": profiles(10_000, (i) => `{name: p${i}.x, permissions: [contents:write, members:read]}`),
  "10,000 broken profiles": profiles(10_000, (i) => `{name: p${i}, permissions: [x, y], match: [{claim: z}]}`),
  "10,000 profiles of one name": profiles(10_000, () => "{name: p, permissions: [contents:read]}"),
  "5,000 patterns": profiles(
    5_000,
    (i) => `{name: p${i}, permissions: [contents:read], match: [{claim: build_tag, valuePattern: "v${i}-.+"}]}`,
  ),
  "a mebibyte of brackets": "[".repeat(MEBIBYTE),
  "a mebibyte of braces": "{a: ".repeat(MEBIBYTE / 4),
  "a mebibyte of indentation": Array.from({ length: 1_400 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""),
  "a mebibyte of dashes": "- ".repeat(MEBIBYTE / 2),
  "10,000 broken profiles on one line": `pipeline: {profiles: [${"{name: a, permissions: [a]}, ".repeat(10_000)}]}`,
  "a mebibyte of keys": Array.from({ length: 80_000 }, (_, i) => `k${i}: 1\n`).join(""),
  "a mebibyte of quotes": '"'.repeat(MEBIBYTE),
  "a mebibyte of commas": `[${",".repeat(MEBIBYTE - 1)}`,
  "a mebibyte of colons": `[${": ".repeat(MEBIBYTE / 2 - 1)}`,
  "a mebibyte of closing brackets": "]".repeat(MEBIBYTE),
  "half a mebibyte of aliases": `[${"*a, ".repeat(MEBIBYTE / 8 - 1)}]`,
  "a mebibyte of directives": "%A\n".repeat(MEBIBYTE / 3),
  "a mebibyte of wrong escapes": `"${"\\q".repeat(MEBIBYTE / 2 - 1)}"`,
  "a mebibyte of anchors": Array.from({ length: 60_000 }, (_, i) => `- &a${i} x\n`).join(""),
  "a mebibyte of documents": "---\n".repeat(MEBIBYTE / 4),
  "a mebibyte of rubbish": Uint8Array.from({ length: MEBIBYTE }, (_, i) => (i * 7919 + 13) % 256),
  "a mebibyte of one comment": `#${"x".repeat(MEBIBYTE - 2)}`,
  "a pattern of 200 kibibytes": `pipeline: {profiles: [{name: a, permissions: [contents:read], match: [{claim: build_tag, valuePattern: "${"(a|b)".repeat(40_000)}"}]}]}`,
  "a pattern that repeats a thousand times": profiles(
    200,
    (i) => `{name: p${i}, permissions: [contents:read], match: [{claim: build_tag, valuePattern: "(a{10}){100}${i}"}]}`,
  ),
  "2,000 patterns that repeat a thousand times": profiles(
    2_000,
    (i) => `{name: p${i}, permissions: [contents:read], match: [{claim: build_tag, valuePattern: '${i}\\pL{999}'}]}`,
  ),
  "5,000 patterns of classes": profiles(
    5_000,
    (i) =>
      `{name: p${i}, permissions: [contents:read], match: [{claim: build_tag, valuePattern: '${i}\\pL\\PN[^\\pLab]'}]}`,
  ),
  "a mebibyte of classes": `pipeline: {profiles: [{name: a, permissions: [contents:read], match: [{claim: build_tag, valuePattern: '${"\\PL".repeat(349_000)}'}]}]}`,
  "a mebibyte of stars": `pipeline: {profiles: [{name: a, permissions: [contents:read], match: [{claim: build_tag, valuePattern: '${"a*".repeat(524_000)}'}]}]}`,
  "a pattern of a million letters": `pipeline: {profiles: [{name: a, permissions: [contents:read], match: [{claim: build_tag, valuePattern: '${"\\pL{1000}".repeat(1_000)}'}]}]}`,
  "half a million entries": `pipeline: {profiles: [${"a,".repeat(MEBIBYTE / 2 - 20)}]}`,
  "200,000 keys": "a: 1\n".repeat(200_000),
  "a mebibyte of empty lines": "\n".repeat(MEBIBYTE),
  "a name of a mebibyte": `pipeline: {profiles: [{name: ${"x".repeat(MEBIBYTE - 100)}/, permissions: [contents:read]}]}`,
  "UTF-16": Buffer.from(`\uFEFF${profiles(5_000, (i) => `{name: p${i}}`)}`, "utf16le"),
};
