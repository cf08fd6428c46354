import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const DESCRIPTORS = join(import.meta.dir, "../vectors/opentelemetry-proto/descriptors.binpb");
const SERVICES = loadFileDescriptorSetFromBuffer(readFileSync(DESCRIPTORS), {
  longs: Number,
  enums: String,
  defaults: false,
  arrays: true,
}) as unknown as Record<string, ServiceDefinition>;
const TRACE_SERVICE = SERVICES["opentelemetry.proto.collector.trace.v1.TraceService"]!;
const METRICS_SERVICE = SERVICES["opentelemetry.proto.collector.metrics.v1.MetricsService"]!;

export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface ReceivedSpan {
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly attributes: Attributes;
  readonly status: { readonly code?: string; readonly message?: string };
  readonly events: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly resource: Attributes;
}

/** One series as it was last received. */
export interface ReceivedPoint {
  readonly metric: string;
  readonly kind: "sum" | "gauge" | "histogram";
  readonly unit: string;
  readonly isMonotonic: boolean;
  readonly attributes: Attributes;
  /** A sum or a gauge; of a histogram the sum. */
  readonly value: number;
  /** Of a histogram. */
  readonly count: number;
  readonly bounds: readonly number[];
  readonly resource: Attributes;
}

/** `accept`; `refuse`: an error at once; `hang`: no answer, ever. */
export type ReceiverBehaviour = "accept" | "refuse" | "hang";

/** Takes OTLP over gRPC and HTTP as OpenTelemetry's own proto files describe it, and keeps what it got in plain form. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly grpcUrl: string;
  readonly httpUrl: string;
  behaviour: ReceiverBehaviour;
  readonly spans: readonly ReceivedSpan[];
  readonly points: ReadonlyMap<string, ReceivedPoint>;
  /** Every request's decoded message as JSON, to be searched. */
  readonly text: () => string;
  /** Exports asked for, accepted or not. */
  readonly asked: number;
  /** Resolves when `found` holds; asked after each export. */
  readonly until: (found: () => boolean) => Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const points = new Map<string, ReceivedPoint>();
  const texts: string[] = [];
  const waiting = new Set<() => void>();
  let asked = 0;

  const take = (signal: "traces" | "metrics", message: any): void => {
    texts.push(JSON.stringify(message));
    if (signal === "traces") spans.push(...flattenSpans(message));
    else for (const point of flattenPoints(message)) points.set(keyOf(point), point);
    for (const look of waiting) look();
  };

  const grpc = new Server();
  const handle =
    (signal: "traces" | "metrics") =>
    (call: { request: any }, answer: (error: object | null, value?: object) => void): void => {
      asked += 1;
      if (receiver.behaviour === "hang") return;
      if (receiver.behaviour === "refuse") return answer({ code: 13, details: "the receiver refuses" });
      take(signal, call.request);
      answer(null, {});
    };
  grpc.addService(TRACE_SERVICE, { Export: handle("traces") });
  grpc.addService(METRICS_SERVICE, { Export: handle("metrics") });
  const grpcPort = await new Promise<number>((resolve, reject) =>
    grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    ),
  );
  const http = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      const signal = pathname === "/v1/traces" ? "traces" : pathname === "/v1/metrics" ? "metrics" : undefined;
      if (signal === undefined) return new Response("", { status: 404 });
      asked += 1;
      const sent = Buffer.from(await request.arrayBuffer());
      if (receiver.behaviour === "hang") return new Promise<Response>(() => undefined);
      if (receiver.behaviour === "refuse") return new Response("no", { status: 500 });
      if (request.headers.get("content-type") !== "application/x-protobuf") return new Response("", { status: 415 });
      const bytes = request.headers.get("content-encoding") === "gzip" ? gunzipSync(sent) : sent;
      const method = (signal === "traces" ? TRACE_SERVICE : METRICS_SERVICE)["Export"]!;
      take(signal, method.requestDeserialize(bytes));
      return new Response("", { headers: { "content-type": "application/x-protobuf" } });
    },
  });
  const receiver: OtlpReceiver = {
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    httpUrl: `http://127.0.0.1:${http.port}`,
    behaviour: "accept",
    spans,
    points,
    text: () => texts.join("\n"),
    get asked() {
      return asked;
    },
    until: (found) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!found()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      grpc.forceShutdown();
      await http.stop(true);
    },
  };
  return receiver;
}

function flattenSpans(message: any): ReceivedSpan[] {
  return list(message.resource_spans).flatMap(({ resource, scope_spans }) =>
    list(scope_spans).flatMap(({ spans }) =>
      list(spans).map((span) => ({
        name: span.name,
        kind: span.kind,
        traceId: hex(span.trace_id),
        spanId: hex(span.span_id),
        parentSpanId: hex(span.parent_span_id),
        traceState: span.trace_state ?? "",
        attributes: toAttributes(span.attributes),
        status: span.status ?? {},
        events: list(span.events).map((event) => ({ name: event.name, attributes: toAttributes(event.attributes) })),
        resource: toAttributes(resource?.attributes),
      })),
    ),
  );
}

function flattenPoints(message: any): ReceivedPoint[] {
  return list(message.resource_metrics).flatMap(({ resource, scope_metrics }) =>
    list(scope_metrics).flatMap(({ metrics }) =>
      list(metrics).flatMap((metric) => {
        const kind = (["sum", "gauge", "histogram"] as const).find((name) => metric[name] !== undefined)!;
        return list(metric[kind].data_points).map((point) => ({
          metric: metric.name,
          kind,
          unit: metric.unit ?? "",
          isMonotonic: metric[kind].is_monotonic ?? false,
          attributes: toAttributes(point.attributes),
          value: point.as_double ?? point.as_int ?? point.sum ?? 0,
          count: point.count ?? 0,
          bounds: point.explicit_bounds ?? [],
          resource: toAttributes(resource?.attributes),
        }));
      }),
    ),
  );
}

function keyOf({ metric, attributes, resource }: ReceivedPoint): string {
  return JSON.stringify([metric, Object.entries(attributes).map(String).toSorted(), resource["service.instance.id"]]);
}

function toAttributes(pairs: any): Attributes {
  return Object.fromEntries(
    list(pairs).map(({ key, value }) => [
      key,
      value?.string_value ?? value?.int_value ?? value?.bool_value ?? value?.double_value,
    ]),
  );
}

function list(value: any): any[] {
  return value ?? [];
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Buffer.from(bytes).toString("hex");
}
