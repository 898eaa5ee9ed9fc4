/**
 * Models with operators on quantised numbers.
 *
 * @module
 */

import { conv, quantize } from "../reference.ts";
import { at, make, matmul, sum, type Tensor64 } from "../tensor64.ts";
import { floats, integers, MICROSOFT, type OwnModel, scalar, windows } from "./model.ts";

const BYTE = [0, 255] as const;

function modelsOfBytes(): OwnModel[] {
  const x = floats([3, 4], -5, 5);
  const [scales, zeros] = [floats([4], 0.02, 0.05), integers([4], 100, 150, "uint8")];
  const q = make([3, 4], (p) => quantize(at(x, p), scales.data[p[1]!]!, zeros.data[p[1]!]!, BYTE), "uint8");
  const [a, b] = [integers([3, 900], 0, 255, "uint8"), integers([900, 2], -128, 127, "int8")];
  const zero = scalar("uint8", 130);
  const product = make([3, 2], ([i, j]) => sum(900, (k) => (at(a, [i!, k]) - 130) * at(b, [k, j!])), "int32");
  const [image, filter] = [integers([1, 3, 5, 5], 0, 255, "uint8"), integers([2, 3, 3, 3], 0, 255, "uint8")];
  const shifted = (t: Tensor64, by: number) => make(t.shape, (p) => at(t, p) - by);
  const integer = conv(shifted(image, 120), shifted(filter, 7), undefined, windows(2, 3, 1, 1, [1, 1]));
  const [outputScale, outputZero] = [Math.fround(40), 128];
  const [aScale, bScale] = [Math.fround(0.02), Math.fround(0.03)];
  const requantized = make(
    [3, 2],
    (p) => quantize(at(product, p) * aScale * bScale, outputScale, outputZero, BYTE),
    "uint8",
  );
  const span = (Math.max(0, ...x.data) - Math.min(0, ...x.data)) / 255;
  const dynamicZero = quantize(-Math.min(0, ...x.data), span, 0, BYTE);
  return [
    {
      name: "QuantizeLinear per column",
      op: "QuantizeLinear",
      attributes: { axis: 1 },
      inputs: [x, scales, zeros],
      outputs: [q],
    },
    {
      name: "DequantizeLinear per column",
      op: "DequantizeLinear",
      attributes: { axis: 1 },
      inputs: [q, scales, zeros],
      outputs: [make([3, 4], (p) => (at(q, p) - zeros.data[p[1]!]!) * scales.data[p[1]!]!)],
    },
    { name: "MatMulInteger", op: "MatMulInteger", inputs: [a, b, zero], outputs: [product] },
    {
      name: "ConvInteger",
      op: "ConvInteger",
      attributes: { pads: [1, 1, 1, 1] },
      inputs: [image, filter, scalar("uint8", 120), scalar("uint8", 7)],
      outputs: [{ ...integer, type: "int32" }],
    },
    {
      name: "QLinearMatMul",
      op: "QLinearMatMul",
      opset: 10,
      inputs: [
        a,
        scalar("float32", aScale),
        zero,
        b,
        scalar("float32", bScale),
        scalar("int8", 0),
        scalar("float32", outputScale),
        scalar("uint8", outputZero),
      ],
      outputs: [requantized],
    },
    {
      name: "DynamicQuantizeLinear",
      op: "DynamicQuantizeLinear",
      inputs: [x],
      outputs: [
        make([3, 4], (p) => quantize(at(x, p), span, dynamicZero, BYTE), "uint8"),
        scalar("float32", span),
        scalar("uint8", dynamicZero),
      ],
    },
    ...[4, 8].map(matMulNBits),
  ];
}

/** Weights in blocks of 16 along the inner axis; the last block is partial. */
function matMulNBits(bits: number): OwnModel {
  const [inner, columns, size] = [40, 3, 16];
  const blocks = Math.ceil(inner / size);
  const top = 2 ** bits - 1;
  const weights = integers([columns, blocks * size], 0, top, "uint8");
  const [x, scales] = [floats([2, inner]), floats([columns, blocks], 0.1, 0.5)];
  const perByte = 8 / bits;
  const packed = make([columns, blocks, size / perByte], ([n, block, i]) => {
    return sum(perByte, (k) => at(weights, [n!, block! * size + i! * perByte + k]) << (bits * k));
  }, "uint8");
  const wide = make(
    [inner, columns],
    ([k, n]) => (at(weights, [n!, k!]) - 2 ** (bits - 1)) * at(scales, [n!, Math.floor(k! / size)]),
  );
  return {
    name: `MatMulNBits of ${bits} bits`,
    op: "MatMulNBits",
    domain: MICROSOFT,
    attributes: { K: inner, N: columns, bits, block_size: size },
    inputs: [x, packed, scales],
    known: [1, 2],
    outputs: [matmul(x, wide)],
  };
}

/** The models of this family. */
export const quantizedModels: readonly OwnModel[] = [
  ...modelsOfBytes(),
];
