import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler as SdkSampler,
} from "@opentelemetry/sdk-trace";
import type { Sampler } from "../telemetry.ts";

export function createSampler({ parentBased, ratio }: Sampler): SdkSampler {
  const root = ofRatio(ratio);
  return parentBased ? new ParentBasedSampler({ root }) : root;
}

function ofRatio(ratio: number): SdkSampler {
  if (ratio >= 1) return new AlwaysOnSampler();
  return ratio <= 0 ? new AlwaysOffSampler() : new TraceIdRatioBasedSampler(ratio);
}
