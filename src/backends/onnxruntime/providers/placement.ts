/**
 * Where ONNX Runtime runs the nodes of a session, from its own record of the session's creation.
 *
 * @module
 */

import { type Pointer, pointerAt, readCString, readPointer } from "../../../../ffi/memory.ts";
import type { OrtDeviceApi } from "../../../../ffi/onnxruntime/device_api.ts";
import type { PlacedNode } from "../../backend.ts";

/** The configuration entry that a session needs so that its placement can be read. */
export const RECORD_PLACEMENT = { "session.record_ep_graph_assignment_info": "1" };

/**
 * The nodes of a session, by the engine's name of the provider that runs them. Folded nodes no longer exist; fused ones
 * may have a name made by the engine.
 */
export function readPlacement(deviceApi: OrtDeviceApi, session: Pointer): PlacedNode[] {
  return list((items, count) => deviceApi.Session_GetEpGraphAssignmentInfo(session, items, count)).flatMap((part) => {
    const provider = text((out) => deviceApi.EpAssignedSubgraph_GetEpName(part, out));
    return list((items, count) => deviceApi.EpAssignedSubgraph_GetNodes(part, items, count)).map((node) => ({
      provider,
      node: text((out) => deviceApi.EpAssignedNode_GetName(node, out)),
      operator: text((out) => deviceApi.EpAssignedNode_GetOperatorType(node, out)),
    }));
  });
}

type Out = BigUint64Array<ArrayBuffer>;

function list(fill: (items: Out, count: Out) => void): Pointer[] {
  const [items, count] = [new BigUint64Array(1), new BigUint64Array(1)];
  fill(items, count);
  return Array.from({ length: Number(count[0]) }, (_, i) => readPointer(pointerAt(items)!, 8 * i)!);
}

function text(fill: (out: Out) => void): string {
  const out = new BigUint64Array(1);
  fill(out);
  return readCString(pointerAt(out));
}
