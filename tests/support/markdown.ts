import { Glob } from "bun";
import { dirname, join, relative } from "node:path";

const ROOT = join(import.meta.dir, "../..");

export interface MarkdownPage {
  /** From the project's root: `docs/valkey.md`. */
  readonly path: string;
  readonly text: string;
}

/** Every page that is written for readers of this project. */
export async function markdownPages(): Promise<MarkdownPage[]> {
  const paths = ["*.md", "docs/**/*.md", "deploy/**/*.md", "src/**/*.md", "bench/**/*.md", "tests/**/*.md"].flatMap(
    (pattern) => Array.from(new Glob(pattern).scanSync({ cwd: ROOT })),
  );
  return Promise.all(paths.sort().map(async (path) => ({ path, text: await Bun.file(join(ROOT, path)).text() })));
}

export interface PageLink {
  /** From the project's root; the page itself for `#anchor` alone. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** The links of a page that lead to a file of this project. Code, and links elsewhere, are passed over. */
export function linksOf({ path, text }: MarkdownPage): PageLink[] {
  return [...withoutCode(text).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)|^\[[^\]]+\]: (\S+)$/gm)]
    .map((match) => match[1] ?? match[2] ?? "")
    .filter((target) => !/^[a-z][a-z+.-]*:/.test(target))
    .map((target) => {
      const [file = "", anchor] = decodeURIComponent(target).split("#");
      return { path: file === "" ? path : relative(ROOT, join(ROOT, dirname(path), file)), anchor };
    });
}

/** The names that GitHub gives a page's headings. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  return [...text.replaceAll(/^```[\s\S]*?^```/gm, "").matchAll(/^#{1,6} (.+)$/gm)].map((match) => {
    const name = (match[1] ?? "")
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    const times = seen.get(name) ?? 0;
    seen.set(name, times + 1);
    return times === 0 ? name : `${name}-${times}`;
  });
}

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");
}
