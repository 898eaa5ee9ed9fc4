/**
 * The positions of windows, for convolutions and pools of any number of axes.
 *
 * @module
 */

import type { NodeView } from "../node.ts";
import { unsupported } from "../errors.ts";

/** The windows along one spatial axis. */
export interface Window {
  /** The number of elements of the kernel. */
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** The padding before and after the axis. */
  readonly begin: number;
  readonly end: number;
  /** The number of windows. */
  readonly count: number;
}

/** A single window that covers an axis of size 1. */
export const WHOLE: Window = { kernel: 1, stride: 1, dilation: 1, begin: 0, end: 0, count: 1 };

/** The number of elements that a window spans, with the gaps of its dilation. */
export function extentOf({ kernel, dilation }: Pick<Window, "kernel" | "dilation">): number {
  return (kernel - 1) * dilation + 1;
}

/** Reads strides, dilations and padding, and computes the number of windows for spatial sizes. */
export function windowsOf(node: NodeView, sizes: readonly number[], kernel: readonly number[]): Window[] {
  const { strides, dilations } = stepsOf(node, sizes.length);
  const windows = sizes.map((size, i) => {
    const window = { kernel: kernel[i]!, stride: strides[i]!, dilation: dilations[i]! };
    const extent = extentOf(window);
    const same = Math.max(0, (Math.ceil(size / window.stride) - 1) * window.stride + extent - size);
    const [begin, end] = paddingOf(node, i, sizes.length, same);
    const room = size + begin + end - extent;
    const count = (node.flag("ceil_mode") ? Math.ceil : Math.floor)(room / window.stride) + 1;
    // ONNX omits a last window that starts in the padding at the end.
    const isInPadding = node.flag("ceil_mode") && (count - 1) * window.stride >= size + begin;
    return { ...window, begin, end, count: isInPadding ? count - 1 : count };
  });
  if (windows.some(({ count }) => count < 1)) {
    unsupported(`windows of [${kernel}] are larger than the padded input [${sizes}]`);
  }
  return windows;
}

/** The strides and dilations of spatial axes. */
export function stepsOf(node: NodeView, axes: number): { strides: readonly number[]; dilations: readonly number[] } {
  const ones = new Array<number>(axes).fill(1);
  return { strides: node.ints("strides") ?? ones, dilations: node.ints("dilations") ?? ones };
}

/** The padding of axis `i`, from `pads` or `auto_pad`; `same` is its total padding for SAME_UPPER and SAME_LOWER. */
export function paddingOf(node: NodeView, i: number, axes: number, same: number): [begin: number, end: number] {
  const mode = node.string("auto_pad", "NOTSET");
  const [less, more] = [Math.floor(same / 2), Math.ceil(same / 2)];
  switch (mode) {
    case "NOTSET":
    case "":
      return [node.ints("pads")?.[i] ?? 0, node.ints("pads")?.[i + axes] ?? 0];
    case "VALID":
      return [0, 0];
    case "SAME_UPPER":
      return [less, more];
    case "SAME_LOWER":
      return [more, less];
    default:
      return unsupported(`auto_pad ${mode} is not supported`);
  }
}

/** The options of WebNN's two-dimensional operators, with padding in the order top, bottom, left, right. */
export function options2d([down, right]: readonly Window[]) {
  const [y, x] = [down!, right!];
  return {
    padding: [y.begin, y.end, x.begin, x.end],
    strides: [y.stride, x.stride],
    dilations: [y.dilation, x.dilation],
  };
}
