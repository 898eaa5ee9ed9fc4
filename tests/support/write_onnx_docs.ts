/**
 * `deno task docs:onnx` writes docs/onnx-operators.md: the operators that the importer supports, from its rows.
 *
 * @module
 */

import type { Row } from "../../src/onnx/row.ts";
import { allRows } from "../../src/onnx/rows/rows.ts";
import { NEWEST } from "../../src/onnx/versions.ts";
import { runProgram, writeFile } from "../../support/program.ts";

/** The location of the page. */
export const ONNX_DOCS: URL = new URL("../../docs/onnx-operators.md", import.meta.url);

const INTRODUCTION = `# Operators of ONNX

The operators that \`@webnn/deno/onnx\` supports, from operator sets 7 to ${NEWEST}. This page is generated from
\`src/onnx/rows/\` by \`deno task docs:onnx\`; do not edit it. \`deno task test:onnx\` runs ONNX's own node tests, and lists
what is not supported and why.

- Versions are those in which the definition of the operator changed. Each applies until the next. If the first one is
  above 7, the operator was added in that version.
- Nodes that move, compare or do arithmetic on at most 65,536 elements that are known while the graph is built, such as
  computations of shapes, are computed then. The graph does not contain them. This is exact also for int64.
- If is supported with a known condition, or with branches of equal shapes; Loop and Scan are supported with a known
  number of iterations. Functions of the model are supported too.
- float64 is computed as float32; a bool is a uint8 with 0 and 1.
- Inputs that determine shapes, such as axes, sizes and repeats, may be initializers, computed from shapes, or inputs of
  the model. In the last case, a graph is built for each of their values.
`;

const UNSUPPORTED = `## What is not supported

If a model has unsupported nodes, it is rejected with a list of them. Unsupported are operators that are not listed here,
and:

- Shapes that depend on values computed by a run: NonZero, Compress, Range and similar operators on computed values;
  NonMaxSuppression and Unique.
- Random results: Dropout in training mode, Bernoulli, RandomNormal and similar operators.
- Cases that ONNX and its engines, or two releases of ONNX, define differently: Attention of version 23 with several heads
  in an input of rank 3, with heads that share keys, or with softcap and a mask; Resize with aligned corners by a scale that
  does not give an integer size, and with scales and \`tf_crop_and_resize\`; \`noop_with_empty_axes\` of ReduceL1, L2, LogSum,
  LogSumExp and SumSquare without axes.
- Cases that are too expensive: sorting (TopK of more than 16) if the number of elements times the length of the axis
  exceeds 2²⁶; ScatterElements and ScatterND with a reduction of more than 512 updates; recurrent networks of more than
  1,024 steps that WebNN's own operators cannot express; Fourier transforms of more than 4,096 elements; determinants of
  more than 5 rows.
- Strings, sequences, images, trees, 8-bit floats, and casts to bfloat16, int16 and uint16.
`;

/** The text of the page. */
export function onnxDocs(): string {
  const domains = Map.groupBy(allRows(), ({ domain }) => domain);
  const tables = Array.from(domains, ([domain, rows]) => {
    return [
      `## ${domain || "ai.onnx"}`,
      "",
      "| Operator | Versions |",
      "| --- | --- |",
      ...rows.map(line).toSorted(),
      "",
    ]
      .join("\n");
  });
  return [INTRODUCTION, ...tables, UNSUPPORTED].join("\n");
}

function line({ domain, name, since }: Row): string {
  const link = domain === "" ? `[${name}](https://onnx.ai/onnx/operators/onnx__${name}.html)` : name;
  return `| ${link} | ${since.join(", ")} |`;
}

const HELP = `Writes docs/onnx-operators.md.

Usage: deno task docs:onnx`;

if (import.meta.main) await runProgram("docs:onnx", HELP, {}, async () => await writeFile(ONNX_DOCS, onnxDocs()));
