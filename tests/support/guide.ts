/** A fenced block of a guide: its language, and what stands behind it, the name of a file. */
export interface GuideBlock {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
}

export function readBlocks(markdown: string): readonly GuideBlock[] {
  return Array.from(
    markdown.matchAll(/^```(\S+)(?: (\S+))?\n([^]*?)^```$/gm),
    ([, language = "", file, text = ""]) => ({
      language,
      file,
      text,
    }),
  );
}

export interface GuideCommand {
  readonly command: string;
  /** What the guide says that it prints, on both outputs. */
  readonly output: string;
}

/** The commands of a `console` block: lines that begin with `$ `, each with the lines below it. */
export function readCommands(text: string): readonly GuideCommand[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf("\n");
      return { command: part.slice(0, end), output: part.slice(end + 1) };
    });
}
