export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** One piece of work as a trace shows it. */
export interface Span {
  /** 32 hex digits. */
  readonly traceId: string;
  /** False where sampling leaves it out: what would be set need not be gathered. */
  readonly isRecorded: boolean;
  readonly set: (attributes: SpanAttributes) => void;
  readonly succeed: (description: string) => void;
  /** `error` is recorded as an event by its name and message, which must be fit for a log. */
  readonly fail: (description?: string, error?: Error) => void;
  /** Runs `work` with this span as the active one, in all that it awaits too. */
  readonly run: <Result>(work: () => Result) => Result;
  /** What is set afterwards is lost. */
  readonly end: () => void;
}

/** Headers as a request brought them. */
export interface TraceHeaders {
  readonly get: (name: string) => string | null;
}

export interface SpanStart {
  readonly kind: "server" | "client" | "internal";
  readonly attributes?: SpanAttributes;
  /**
   * Absent: the active span. `root`: none. Headers: the caller's, by W3C trace context, if it sent one. Its baggage is not read: nothing
   * here would use it, and so it can reach nobody.
   */
  readonly parent?: "root" | TraceHeaders;
}

export interface Tracing {
  readonly start: (name: string, start: SpanStart) => Span;
  /**
   * Adds to the active span, if there is one. When that has ended, as a request's has when what it made is being stored, to a span
   * `name` below it.
   */
  readonly annotate: (name: string, attributes: SpanAttributes) => void;
}

/** `work` as one span: ended when it settles, failed when it rejects. Rejects as `work` does. */
export async function traced<Result>(
  tracing: Tracing,
  name: string,
  start: SpanStart,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  const span = tracing.start(name, start);
  try {
    return await span.run(() => work(span));
  } catch (error) {
    span.fail(undefined, error instanceof Error ? error : undefined);
    throw error;
  } finally {
    span.end();
  }
}
