/**
 * Models with matrix products, recurrent networks and attention.
 *
 * @module
 */

import { attention, mergeHeads, recurrent, type Recurrent64, rotate, splitHeads } from "../reference.ts";
import { at, make, matmul, reshape, spread, sum, type Tensor64, transpose } from "../tensor64.ts";
import { float, floats, integers, list, MICROSOFT, type OwnModel, scalar } from "./model.ts";

function matrixModels(): OwnModel[] {
  const [a, b, c, vector] = [floats([2, 3, 4]), floats([4, 5]), floats([5]), floats([4])];
  const [left, right] = [floats([4, 3]), floats([5, 4])];
  const gemm = make(
    [3, 5],
    (p) => 0.5 * at(matmul(transpose(left, [1, 0]), transpose(right, [1, 0])), p) + 2 * spread(c, p),
  );
  const [q, k] = [floats([2, 3, 4, 5]), floats([2, 6, 4, 5])];
  const scores = make([2, 4, 3, 6], ([n, h, i, j]) => sum(5, (d) => at(q, [n!, i!, h!, d]) * at(k, [n!, j!, h!, d])));
  const square = floats([4, 4]);
  const fused = make([3, 5], (p) => 0.5 * at(matmul(transpose(left, [1, 0]), b), p));
  return [
    { name: "MatMul", op: "MatMul", inputs: [a, b], outputs: [matmul(a, b)] },
    {
      name: "MatMul of a vector",
      op: "MatMul",
      inputs: [vector, b],
      outputs: [reshape(matmul(reshape(vector, [1, 4]), b), [5])],
    },
    {
      name: "Gemm",
      op: "Gemm",
      attributes: { alpha: float(0.5), beta: float(2), transA: 1, transB: 1 },
      inputs: [left, right, c],
      outputs: [gemm],
    },
    {
      name: "Einsum of attention",
      op: "Einsum",
      attributes: { equation: "bqhd,bkhd->bhqk" },
      inputs: [q, k],
      outputs: [scores],
    },
    {
      name: "Einsum of a trace",
      op: "Einsum",
      attributes: { equation: "ii" },
      inputs: [square],
      outputs: [scalar("float32", sum(4, (i) => at(square, [i, i])))],
    },
    {
      name: "Einsum of an outer product",
      op: "Einsum",
      attributes: { equation: "i,j->ij" },
      inputs: [c, vector],
      outputs: [make([5, 4], ([i, j]) => c.data[i!]! * vector.data[j!]!)],
    },
    {
      name: "FusedMatMul",
      op: "FusedMatMul",
      domain: MICROSOFT,
      attributes: { alpha: float(0.5), transA: 1 },
      inputs: [left, b],
      outputs: [fused],
    },
  ];
}

/** Creates a model of a recurrent operator. All have the same sizes. */
function recurrentModels(): OwnModel[] {
  const [steps, batch, inputs, hidden] = [4, 2, 3, 5];
  const gates = { RNN: 1, GRU: 3, LSTM: 4 } as const;
  const model = (
    kind: keyof typeof gates,
    name: string,
    how: {
      direction?: string;
      functions: string[];
      stated?: boolean;
      peephole?: boolean;
      linear?: boolean;
      lengths?: number[];
    },
  ): OwnModel => {
    const { direction = "forward", functions, linear, lengths } = how;
    const directions = direction === "bidirectional" ? [false, true] : [direction === "reverse"];
    const n = directions.length;
    const [x, w] = [floats([steps, batch, inputs]), floats([n, gates[kind] * hidden, inputs], -1, 1)];
    const [r, b] = [floats([n, gates[kind] * hidden, hidden], -1, 1), floats([n, 2 * gates[kind] * hidden], -1, 1)];
    const [state, cell, peephole] = [
      floats([n, batch, hidden]),
      floats([n, batch, hidden]),
      floats([n, 3 * hidden], -1, 1),
    ];
    const of = (tensor: Tensor64, d: number) => make(tensor.shape.slice(1), (p) => at(tensor, [d, ...p]));
    const runs = directions.map((reverse, d) =>
      recurrent(
        kind,
        {
          x,
          w: of(w, d),
          r: of(r, d),
          b: of(b, d),
          state: of(state, d),
          cell: of(cell, d),
          functions,
          reverse,
          ...how.peephole && { peephole: of(peephole, d) },
          ...linear && { linearBeforeReset: true },
          ...lengths && { lengths },
        } satisfies Recurrent64,
      )
    );
    const all = make([steps, n, batch, hidden], ([t, d, ...p]) => at(runs[d!]!.all, [t!, ...p]));
    const stacked = (key: "last" | "cell") => make([n, batch, hidden], ([d, ...p]) => at(runs[d!]![key], p));
    const isLstm = kind === "LSTM";
    return {
      name: `${kind}, ${name}`,
      op: kind,
      opset: 14,
      attributes: {
        hidden_size: hidden,
        direction,
        ...linear && { linear_before_reset: 1 },
        ...how.stated && { activations: { strings: directions.flatMap(() => functions) } },
      },
      inputs: [
        x,
        w,
        r,
        b,
        lengths && list("int32", ...lengths),
        state,
        ...isLstm ? [cell] : [],
        ...how.peephole ? [peephole] : [],
      ],
      known: [1, 2, 3],
      outputs: isLstm ? [all, stacked("last"), stacked("cell")] : [all, stacked("last")],
    };
  };
  const [rnn, gru, lstm] = [["Tanh"], ["Sigmoid", "Tanh"], ["Sigmoid", "Tanh", "Tanh"]];
  return [
    model("RNN", "forward", { functions: rnn! }),
    model("RNN", "both directions, lengths", { functions: rnn!, direction: "bidirectional", lengths: [4, 2] }),
    model("GRU", "forward", { functions: gru! }),
    model("GRU", "linear before reset, backward", { functions: gru!, direction: "reverse", linear: true }),
    model("GRU", "both directions, lengths", {
      functions: gru!,
      direction: "bidirectional",
      lengths: [3, 1],
      linear: true,
    }),
    model("LSTM", "forward", { functions: lstm! }),
    model("LSTM", "both directions", { functions: lstm!, direction: "bidirectional" }),
    model("LSTM", "peepholes", { functions: lstm!, peephole: true }),
    model("LSTM", "lengths, backward", { functions: lstm!, direction: "reverse", lengths: [1, 4] }),
  ];
}

function attentionModels(): OwnModel[] {
  const [q, k, v] = [floats([2, 3, 4, 8]), floats([2, 3, 6, 8]), floats([2, 3, 6, 8])];
  const scale = 1 / Math.sqrt(8);
  const mask = floats([4, 6]);
  const flat = (length: number) => floats([2, length, 24]);
  const [query, key, value] = [flat(4), flat(5), flat(5)];
  const keep: Tensor64 = { type: "int32", shape: [2, 5], data: [1, 1, 0, 1, 1, 1, 0, 1, 1, 0] };
  const seen = attention(
    splitHeads(query, 3),
    splitHeads(key, 3),
    splitHeads(value, 3),
    scale,
    ([b, , , j]) => at(keep, [b!, j!]) ? 0 : -10000,
  );
  return [
    {
      name: "Attention with a mask",
      op: "Attention",
      opset: 23,
      inputs: [q, k, v, mask],
      outputs: [attention(q, k, v, scale, ([, , i, j]) => at(mask, [i!, j!]))],
    },
    {
      name: "Attention, causal",
      op: "Attention",
      opset: 23,
      attributes: { is_causal: 1 },
      inputs: [q, k, v],
      outputs: [attention(q, k, v, scale, ([, , i, j]) => j! <= i! ? 0 : -1e9)],
    },
    {
      name: "MultiHeadAttention with a mask of keys",
      op: "MultiHeadAttention",
      domain: MICROSOFT,
      attributes: { num_heads: 3 },
      inputs: [query, key, value, undefined, keep],
      outputs: [mergeHeads(seen)],
    },
    ...[1, 3].map(groupQueryAttention),
    rotaryModel(),
  ];
}

/** GroupQueryAttention of `length` new elements after a past of 5, in a buffer of 9. */
function groupQueryAttention(length: number): OwnModel {
  const [heads, shared, size, past, buffer] = [4, 2, 8, 5, 9];
  const [query, key, value] = [
    floats([1, length, heads * size]),
    floats([1, length, shared * size]),
    floats([1, length, shared * size]),
  ];
  const [cos, sin] = [floats([12, size / 2], -1, 1), floats([12, size / 2], -1, 1)];
  const turn = (x: Tensor64) => rotate(x, cos, sin, (_, row) => past + row);
  const olds = [floats([1, shared, buffer, size]), floats([1, shared, buffer, size])] as const;
  const present = ([turn(splitHeads(key, shared)), splitHeads(value, shared)] as const).map((now, i) =>
    make(
      olds[i]!.shape,
      ([b, h, t, d]) =>
        t! >= past && t! < past + length ? at(now, [b!, h!, t! - past, d!]) : at(olds[i]!, [b!, h!, t!, d!]),
    )
  ) as [Tensor64, Tensor64];
  const y = attention(
    turn(splitHeads(query, heads)),
    ...present,
    1 / Math.sqrt(size),
    ([, , i, j]) => j! <= past + i! ? 0 : -1e9,
  );
  return {
    name: `GroupQueryAttention of ${length} after a past`,
    op: "GroupQueryAttention",
    domain: MICROSOFT,
    attributes: { num_heads: heads, kv_num_heads: shared, do_rotary: 1 },
    inputs: [query, key, value, ...olds, list("int32", past + length - 1), scalar("int32", past + length), cos, sin],
    known: [6, 7, 8],
    outputs: [mergeHeads(y), ...present],
  };
}

function rotaryModel(): OwnModel {
  const [x, cos, sin] = [floats([2, 3, 4, 8]), floats([9, 4], -1, 1), floats([9, 4], -1, 1)];
  const ids = integers([2, 4], 0, 8);
  return {
    name: "RotaryEmbedding",
    op: "RotaryEmbedding",
    domain: MICROSOFT,
    inputs: [x, ids, cos, sin],
    outputs: [rotate(x, cos, sin, (b, row) => at(ids, [b, row]))],
  };
}

/** The models of this family. */
export const sequencesModels: readonly OwnModel[] = [
  ...matrixModels(),
  ...recurrentModels(),
  ...attentionModels(),
];
