/** A reply before it becomes a `Response`, which does not tell how long it is. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: no body at all (204). */
  readonly text: string | null;
}

export function toResponse({ status, headers, text }: Reply): Response {
  return new Response(text, { status, headers });
}
