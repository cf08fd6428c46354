import type { Clock } from "../lib/clock.ts";

/** How long a definitive refusal stands: a job that tries again in a loop must not cost an upstream call each time. */
const REMEMBERED_MS = 30_000;
const CAPACITY = 1000;

/** Answers that are no values, kept for a moment, oldest out first. */
export interface RememberedAnswers<Answer> {
  readonly get: (key: string) => Answer | undefined;
  readonly set: (key: string, answer: Answer) => void;
  readonly delete: (key: string) => void;
}

export function createRememberedAnswers<Answer>(clock: Clock): RememberedAnswers<Answer> {
  const entries = new Map<string, { readonly answer: Answer; readonly untilMs: number }>();
  return {
    get: (key) => {
      const entry = entries.get(key);
      if (entry !== undefined && clock.monotonicMs() < entry.untilMs) return entry.answer;
      entries.delete(key);
      return undefined;
    },
    set: (key, answer) => {
      entries.delete(key);
      const oldest = entries.size >= CAPACITY ? entries.keys().next() : undefined;
      if (oldest?.done === false) entries.delete(oldest.value);
      entries.set(key, { answer, untilMs: clock.monotonicMs() + REMEMBERED_MS });
    },
    delete: (key) => void entries.delete(key),
  };
}
