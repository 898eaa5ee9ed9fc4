/**
 * Prepacked weights, shared by the sessions of the same constant tensors.
 *
 * ONNX Runtime shares prepacked weights among the sessions of a container, but only for initializers passed to
 * `AddInitializer`. It must not own those values, and they must live as long as the sessions. The bytes of a weight
 * may be freed earlier: when the session has packed it for all its uses.
 *
 * @module
 */

import { cString, int64Array, type Pointer } from "../../../ffi/memory.ts";
import { ElementType } from "../../../ffi/onnxruntime/enums.ts";
import { canCountReferences, countReferences } from "../../../ffi/onnxruntime/value_references.ts";
import type { Releasable } from "../backend.ts";
import { NativeBlock } from "./native_block.ts";
import type { OnnxGraph, OnnxInitializer } from "./onnx.ts";
import { isReviewed } from "./optimizers.ts";
import type { OrtRuntime } from "./runtime.ts";

/** Smaller weights are not shared. */
const MIN_BYTES = 4096;

/** A container that at least one session uses. */
interface Container {
  readonly pointer: Pointer;
  users: number;
}

/** The container of each shared block. */
const containers = new WeakMap<NativeBlock, Container>();

/** The prepacked weights that a session shares with others. */
export interface PackedWeights extends Releasable {
  /** The bytes that the session prepacks and frees again, because the container already has them. */
  readonly duplicateBytes: number;
  /** For `FinalizeModelEditorSession`; null if nothing is shared. */
  readonly container: Pointer | null;
  /** Declares the shared initializers in the options of the session. */
  addTo(options: Pointer): void;
  /** The blocks whose bytes the session no longer reads. Call it after the session was created. */
  unread(): ReadonlySet<NativeBlock>;
}

/** Whether the references of a runtime's sessions to their weights can be counted. */
const canCount = new WeakMap<OrtRuntime, boolean>();

/** The prepacked weights of a graph's shared blocks. Release it after the session. */
export function packedWeights(runtime: OrtRuntime, { initializers }: OnnxGraph): PackedWeights {
  const shared = initializers.filter(isSharedWeight);
  if (shared.length === 0) {
    return { duplicateBytes: 0, container: null, addTo() {}, unread: () => new Set(), release() {} };
  }
  const blocks = shared.map(({ data }) => data);
  const container = containerOf(runtime, blocks);
  const duplicateBytes = container.users === 0 ? 0 : blocks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  container.users++;
  const values: { readonly block: NativeBlock; readonly value: Pointer; readonly references: number }[] = [];
  const counts = canCount.getOrInsertComputed(
    runtime,
    () => isReviewed(runtime.version) && canCountReferences(runtime),
  );
  return {
    duplicateBytes,
    container: container.pointer,
    addTo(options) {
      for (const initializer of shared) {
        const value = borrowedValue(runtime, initializer);
        values.push({ block: initializer.data, value, references: counts ? countReferences(value) : 0 });
        runtime.api.AddInitializer(options, cString(initializer.name), value);
      }
    },
    unread() {
      if (!counts) return new Set();
      const isRead = values.filter(({ references, value }) => countReferences(value) !== references);
      return new Set(blocks).difference(new Set(isRead.map(({ block }) => block)));
    },
    release() {
      for (const { value } of values) runtime.api.ReleaseValue(value);
      if (--container.users > 0) return;
      for (const block of blocks) if (containers.get(block) === container) containers.delete(block);
      runtime.api.ReleasePrepackedWeightsContainer(container.pointer);
    },
  };
}

type SharedWeight = OnnxInitializer & { readonly data: NativeBlock };

function isSharedWeight(initializer: OnnxInitializer): initializer is SharedWeight {
  const { data } = initializer;
  return data instanceof NativeBlock && data.isShared && data.byteLength >= MIN_BYTES;
}

/** The container of any of the blocks, or a new one. */
function containerOf(runtime: OrtRuntime, blocks: readonly NativeBlock[]): Container {
  const known = blocks.map((block) => containers.get(block)).find((container) => container !== undefined);
  const container = known ?? { pointer: runtime.api.CreatePrepackedWeightsContainer(), users: 0 };
  for (const block of blocks) if (!containers.has(block)) containers.set(block, container);
  return container;
}

function borrowedValue({ api, cpuMemory }: OrtRuntime, { dataType, shape, data }: SharedWeight): Pointer {
  const { pointer, byteLength } = data;
  return api.CreateTensorWithDataAsOrtValue(
    cpuMemory,
    pointer,
    byteLength,
    int64Array(shape),
    shape.length,
    ElementType[dataType],
  );
}
