import { AsyncLocalStorage } from "node:async_hooks";
import {
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span as SdkSpan,
  type Tracer,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import type { Span, SpanStart, TraceHeaders, Tracing } from "../tracing.ts";

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL } as const;

/** Spans of one tracer. The active one is kept here, not in the SDK's global context: nothing else may look at it or send it on. */
export function createSdkTracing(tracer: Tracer): Tracing {
  const active = new AsyncLocalStorage<SdkSpan>();
  const propagator = new W3CTraceContextPropagator();

  const parentOf = (parent: SpanStart["parent"]): Context => {
    if (parent === "root") return ROOT_CONTEXT;
    if (parent !== undefined) return propagator.extract(ROOT_CONTEXT, carrierOf(parent), defaultTextMapGetter);
    const span = active.getStore();
    return span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
  };

  return {
    start: (name, { kind, attributes = {}, parent }) =>
      toSpan(tracer.startSpan(name, { kind: KINDS[kind], attributes }, parentOf(parent)), active),
    annotate: (name, attributes) => {
      const span = active.getStore();
      if (span?.isRecording() === true) span.setAttributes(attributes);
      else if (span !== undefined) tracer.startSpan(name, { attributes }, trace.setSpan(ROOT_CONTEXT, span)).end();
    },
  };
}

function toSpan(span: SdkSpan, active: AsyncLocalStorage<SdkSpan>): Span {
  return {
    traceId: span.spanContext().traceId,
    isRecorded: span.isRecording(),
    set: (attributes) => void span.setAttributes(attributes),
    succeed: (message) => void span.setStatus({ code: SpanStatusCode.OK, message }),
    fail: (message, error) => {
      span.setStatus({ code: SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) });
      // Without the stack: it says nothing to an operator, and where this runs.
      if (error !== undefined) span.recordException({ name: error.name, message: error.message });
    },
    run: (work) => active.run(span, work),
    end: () => span.end(),
  };
}

function carrierOf(headers: TraceHeaders): Record<string, string> {
  const traceparent = headers.get("traceparent");
  if (traceparent === null) return {};
  const tracestate = headers.get("tracestate");
  return tracestate === null ? { traceparent } : { traceparent, tracestate };
}
