/**
 * Products of matrices.
 *
 * @module
 */

import { formatShape } from "../../../src/shape.ts";
import { commonShape } from "./binary.ts";
import type { Parameters, Rows } from "./operation.ts";
import { broadcastOffsets, isFloat, type Tensor, zeros } from "./tensor.ts";

/** Requires rank 2 or more: Apple's type inference is wrong for rank 1. */
function matmul(p: Parameters): Tensor {
  return multiply(p.tensor("x"), p.tensor("y"), p.flag("transpose_x"), p.flag("transpose_y"));
}

/** A matrix in a batch: its size, and the strides of its rows and columns. */
interface Layout {
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

function layoutOf(name: string, { shape }: Tensor, transposed: boolean): Layout {
  const [rows, columns] = shape.slice(-2);
  if (rows === undefined || columns === undefined) {
    throw new TypeError(`${name} must have rank 2 or more, not ${shape.length}`);
  }
  return transposed
    ? { rows: columns, columns: rows, rowStep: 1, columnStep: columns }
    : { rows, columns, rowStep: columns, columnStep: 1 };
}

function multiply(x: Tensor, y: Tensor, transposeX: boolean, transposeY: boolean): Tensor {
  if (x.dataType !== y.dataType) {
    throw new TypeError(`x is ${x.dataType}, y ${y.dataType}: they must have the same type`);
  }
  const left = layoutOf("x", x, transposeX);
  const right = layoutOf("y", y, transposeY);
  if (left.columns !== right.rows) {
    throw new TypeError(`matrices of ${formatShape(x.shape)} and ${formatShape(y.shape)} cannot be multiplied`);
  }
  const batch = commonShape(x.shape.slice(0, -2), y.shape.slice(0, -2));
  const xs = broadcastOffsets(x.shape.slice(0, -2), batch);
  const ys = broadcastOffsets(y.shape.slice(0, -2), batch);
  const result = zeros(x.dataType, [...batch, left.rows, right.columns]);
  const times = isFloat(x.dataType) ? (a: number, b: number) => a * b : Math.imul;
  const sums = new Float64Array(right.columns);
  let at = 0;
  for (let b = 0; b < xs.length; b++) {
    const xStart = xs[b]! * left.rows * left.columns;
    const yStart = ys[b]! * right.rows * right.columns;
    for (let row = 0; row < left.rows; row++, at += sums.length) {
      sums.fill(0);
      for (let k = 0; k < left.columns; k++) {
        const a = x.data[xStart + row * left.rowStep + k * left.columnStep]!;
        const line = yStart + k * right.rowStep;
        for (let j = 0; j < sums.length; j++) sums[j]! += times(a, y.data[line + j * right.columnStep]!);
      }
      result.data.set(sums, at);
    }
  }
  return result;
}

export const matrix: Rows = {
  matmul: { values: ["x", "y"], constants: ["transpose_x", "transpose_y"], compute: matmul },
};
