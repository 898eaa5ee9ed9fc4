/**
 * A compiled graph with profiling.
 *
 * @module
 */

import { originsOf } from "../../../graph/origins.ts";
import type { EngineProfile, Executable } from "../../backend.ts";
import type { OrtExecutable } from "../executable.ts";
import { peakBytes } from "../../../graph/peak_memory.ts";
import type { ValueTensor } from "../tensor.ts";
import type { Forms } from "../forms.ts";
import { attribute } from "./attribution.ts";
import { readEvents } from "./events.ts";
import type { Profiler } from "./profiler.ts";

/** Takes over the executable and its profiler. */
export function measured(executable: OrtExecutable, profiler: Profiler, forms: Forms): Executable {
  let profile: Promise<EngineProfile> | undefined;
  return {
    devices: executable.devices,
    get blockingTime() {
      return executable.blockingTime;
    },
    run: (inputs, outputs, blockingLimit) =>
      executable.run(inputs as readonly ValueTensor[], outputs as readonly ValueTensor[], blockingLimit),
    release() {
      executable.release();
      profiler.release();
    },
    profile: () => profile ??= profiler.end(executable.session.pointer).then((json) => profileOf(json, forms)),
  };
}

function profileOf(json: string, { given, rewritten, onnx }: Forms): EngineProfile {
  const { runs, time, nodes } = readEvents(json);
  const attributions = attribute(nodes, onnx, originsOf(given, rewritten));
  return {
    runs,
    time,
    nodes: nodes.map((node, i) => ({ ...node, ...attributions[i]! })),
    peakBytes: peakBytes(rewritten),
  };
}
