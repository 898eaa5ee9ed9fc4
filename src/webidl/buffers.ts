/**
 * Buffer arguments: their bytes, and whether they fit a descriptor.
 *
 * @module
 */

import { byteLength, type Descriptor, formatShape } from "../shape.ts";
import { VIEW_NAMES } from "../data_type.ts";
import { withArticle } from "../errors.ts";
import type { Converter } from "./converters.ts";

/** `AllowSharedBufferSource`: an ArrayBuffer, a SharedArrayBuffer, or a view on one. */
export type AllowSharedBufferSource = ArrayBufferLike | ArrayBufferView<ArrayBufferLike>;

type Getter<T> = (this: unknown) => T;

function getter<T>(prototype: object, name: PropertyKey): Getter<T> {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get as Getter<T>;
}

// These getters read internal slots, so they ignore properties that a script defines on a view.
const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const typedArrayKind = getter<string | undefined>(typedArray, Symbol.toStringTag);
const typedArraySlots = viewSlots(typedArray);
const dataViewSlots = viewSlots(DataView.prototype);
const isResizable = getter<boolean>(ArrayBuffer.prototype, "resizable");
const isGrowable = getter<boolean>(SharedArrayBuffer.prototype, "growable");

function viewSlots(prototype: object) {
  return {
    buffer: getter<ArrayBuffer>(prototype, "buffer"),
    byteOffset: getter<number>(prototype, "byteOffset"),
    byteLength: getter<number>(prototype, "byteLength"),
  };
}

function slotsOf(view: ArrayBufferView): ReturnType<typeof viewSlots> {
  return typedArrayKind.call(view) === undefined ? dataViewSlots : typedArraySlots;
}

/**
 * Converts `AllowSharedBufferSource`. WebIDL accepts resizable buffers only with `[AllowResizable]`.
 * @see https://webidl.spec.whatwg.org/#AllowResizable
 */
export const allowSharedBufferSource: Converter<AllowSharedBufferSource> = (value, context) => {
  const resizable = resizability(ArrayBuffer.isView(value) ? slotsOf(value).buffer.call(value) : value);
  if (resizable === undefined) {
    throw new TypeError(`${context} is not an ArrayBuffer, a SharedArrayBuffer or a view on one.`);
  }
  if (resizable) throw new TypeError(`${context} is resizable; pass a buffer of fixed length.`);
  return value as AllowSharedBufferSource;
};

/** Whether a buffer is resizable; `undefined` if the value is not a buffer. */
function resizability(value: unknown): boolean | undefined {
  for (const read of [isResizable, isGrowable]) {
    try {
      return read.call(value);
    } catch {
      // Not an object of this kind.
    }
  }
  return undefined;
}

/** A view of the current bytes of a buffer source; empty if it is detached. */
export function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  try {
    if (!ArrayBuffer.isView(source)) return new Uint8Array(source);
    const { buffer, byteOffset, byteLength } = slotsOf(source);
    return new Uint8Array(buffer.call(source), byteOffset.call(source), byteLength.call(source));
  } catch {
    return new Uint8Array(0); // It is detached.
  }
}

/**
 * The bytes of `source`, which must have the length of the descriptor. A view must also have the type of the data type,
 * or be a Uint8Array.
 * @throws {TypeError} if it does not fit
 * @see https://www.w3.org/TR/webnn/#validate-buffer-with-descriptor
 */
export function bytesForDescriptor(
  source: AllowSharedBufferSource,
  descriptor: Descriptor,
  context: string,
): Uint8Array {
  if (ArrayBuffer.isView(source)) {
    const kind = typedArrayKind.call(source) ?? "DataView";
    const expected = VIEW_NAMES[descriptor.dataType];
    if (kind !== "Uint8Array" && !expected.includes(kind)) {
      throw new TypeError(
        `${context} must be ${withArticle(expected[0]!)} for ${descriptor.dataType}, not ${withArticle(kind)}.`,
      );
    }
  }
  return bytesOfLength(source, descriptor, context);
}

/**
 * The bytes of `source`, which must have the length of the descriptor. For `writeTensor`, the standard requires the
 * check of {@linkcode bytesForDescriptor}, but WPT writes views of any type.
 * @throws {TypeError} if the length differs
 */
export function bytesOfLength(source: AllowSharedBufferSource, descriptor: Descriptor, context: string): Uint8Array {
  const bytes = bytesOf(source);
  const needed = byteLength(descriptor);
  if (bytes.byteLength !== needed) {
    throw new TypeError(
      `${context} has ${bytes.byteLength} bytes; ${descriptor.dataType} ${
        formatShape(descriptor.shape)
      } needs ${needed}.`,
    );
  }
  return bytes;
}
