/**
 * Where Core ML plans to run the operations of a model.
 *
 * @module
 */

import type { Pointer } from "../memory.ts";
import { type CoreML, type DeviceKind, kindOf } from "./core_ml.ts";

/**
 * The devices that will run the operations of a compiled model; the one with the most work comes first.
 *
 * @param path the compiled model
 * @param configuration an MLModelConfiguration
 * @returns `undefined` if this system does not provide plans
 */
export async function plannedDevices(
  { messages, foundation, runtime }: CoreML,
  path: string,
  configuration: Pointer,
): Promise<DeviceKind[] | undefined> {
  const { loadPlan, modelStructure, program, functions, block, operations } = messages;
  const { deviceUsage, preferredDevice, estimatedCost, weight } = messages;
  if (!loadPlan || !modelStructure || !program || !functions || !block || !operations) return undefined;
  if (!deviceUsage || !preferredDevice || !estimatedCost || !weight) return undefined;

  const deviceOf = (plan: Pointer, operation: Pointer) => {
    const usage = deviceUsage(plan, operation);
    return usage === null ? undefined : kindOf(runtime.classNameOf(preferredDevice(usage)));
  };
  const costOf = (plan: Pointer, operation: Pointer) => {
    const cost = estimatedCost(plan, operation);
    return cost === null ? 0 : weight(cost);
  };
  const rank = (plan: Pointer) => {
    const contents = program(modelStructure(plan));
    const main = contents && foundation.valueAt(functions(contents), "main");
    if (!main) return undefined;
    const work = new Map<DeviceKind, number>();
    for (const operation of foundation.objects(operations(block(main)))) {
      const device = deviceOf(plan, operation);
      if (device !== undefined) work.set(device, (work.get(device) ?? 0) + costOf(plan, operation));
    }
    return [...work].sort(([, a], [, b]) => b - a).map(([device]) => device);
  };
  return await runtime.pooled(() => loadPlan(rank, foundation.fileUrl(path), configuration));
}
