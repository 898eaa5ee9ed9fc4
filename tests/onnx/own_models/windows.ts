/**
 * Models with convolutions and pools over one, two and three axes.
 *
 * @module
 */

import { conv, convTranspose, pool, REDUCTIONS, type Windows64 } from "../reference.ts";
import { sum } from "../tensor64.ts";
import { floats, type OwnModel, windows } from "./model.ts";

const SPATIAL = [[9], [7, 8], [5, 4, 6]] as const;

function attributesOf({ kernel, strides, dilations, pads }: Windows64) {
  return { kernel_shape: kernel, strides, dilations, pads };
}

function convolutionModels(): OwnModel[] {
  return SPATIAL.flatMap((sizes): OwnModel[] => {
    const axes = sizes.length;
    const [x, bias] = [floats([2, 4, ...sizes]), floats([6])];
    const [full, grouped] = [floats([6, 4, ...windows(axes, 3).kernel]), floats([6, 2, ...windows(axes, 2).kernel])];
    const [plain, strided] = [windows(axes, 3, 1, 1, [1, 1]), windows(axes, 2, 2, 2, [1, 0])];
    const turned = floats([4, 3, ...windows(axes, 3).kernel]);
    const spreading = windows(axes, 3, 2, 1, [1, 0]);
    const padding = spreading.kernel.map(() => 1);
    const same = windows(axes, 3, 2, 1, [0, 0]);
    const ends = sizes.map((size) => Math.max(0, (Math.ceil(size / 2) - 1) * 2 + 3 - size));
    const pads = [...ends.map((end) => Math.floor(end / 2)), ...ends.map((end) => Math.ceil(end / 2))];
    return [
      {
        name: `Conv of ${axes} axes`,
        op: "Conv",
        attributes: attributesOf(plain),
        inputs: [x, full, bias],
        known: [1, 2],
        outputs: [conv(x, full, bias, plain)],
      },
      {
        name: `Conv of ${axes} axes in groups`,
        op: "Conv",
        attributes: { ...attributesOf(strided), group: 2 },
        inputs: [x, grouped],
        outputs: [conv(x, grouped, undefined, strided, 2)],
      },
      {
        name: `Conv of ${axes} axes, SAME_UPPER`,
        op: "Conv",
        attributes: { kernel_shape: same.kernel, strides: same.strides, auto_pad: "SAME_UPPER" },
        inputs: [x, full],
        known: [1],
        outputs: [conv(x, full, undefined, { ...same, pads })],
      },
      {
        name: `ConvTranspose of ${axes} axes in groups`,
        op: "ConvTranspose",
        attributes: { ...attributesOf(spreading), output_padding: padding, group: 2 },
        inputs: [x, turned],
        known: [1],
        outputs: [convTranspose(x, turned, spreading, padding, 2)],
      },
    ];
  });
}

function poolModels(): OwnModel[] {
  const mean = REDUCTIONS.ReduceMean!;
  return SPATIAL.flatMap((sizes): OwnModel[] => {
    const axes = sizes.length;
    const x = floats([2, 3, ...sizes]);
    const w = windows(axes, 3, 2, 1, [1, 1]);
    const { dilations: _, ...attributes } = attributesOf(w);
    const wide = windows(axes, 2, 1, 2, [0, 1]);
    const norm = (p: number) => (list: number[]) => sum(list.length, (i) => Math.abs(list[i]!) ** p) ** (1 / p);
    return [
      {
        name: `MaxPool of ${axes} axes, rounded up`,
        op: "MaxPool",
        attributes: { ...attributes, ceil_mode: 1 },
        inputs: [x],
        outputs: [pool(x, w, (list) => Math.max(...list), { ceil: true })],
      },
      {
        name: `MaxPool of ${axes} axes, dilated`,
        op: "MaxPool",
        attributes: attributesOf(wide),
        inputs: [x],
        outputs: [pool(x, wide, (list) => Math.max(...list))],
      },
      { name: `AveragePool of ${axes} axes`, op: "AveragePool", attributes, inputs: [x], outputs: [pool(x, w, mean)] },
      {
        name: `AveragePool of ${axes} axes including padding, rounded up`,
        op: "AveragePool",
        attributes: { ...attributes, count_include_pad: 1, ceil_mode: 1 },
        inputs: [x],
        outputs: [pool(x, w, mean, { ceil: true, padded: true })],
      },
      {
        name: `LpPool of ${axes} axes`,
        op: "LpPool",
        opset: 18,
        attributes: { ...attributes, p: 3 },
        inputs: [x],
        outputs: [pool(x, w, norm(3))],
      },
    ];
  });
}

/** The models of this family. */
export const windowsModels: readonly OwnModel[] = [
  ...convolutionModels(),
  ...poolModels(),
];
