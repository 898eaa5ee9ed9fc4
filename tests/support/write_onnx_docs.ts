/**
 * `deno task docs:onnx` writes docs/onnx-operators.md: the operators that the importer takes, from its rows.
 *
 * @module
 */

import { evaluated } from "../../src/onnx/evaluate/evaluate.ts";
import type { Row } from "../../src/onnx/row.ts";
import { allRows } from "../../src/onnx/rows/rows.ts";
import { NEWEST } from "../../src/onnx/versions.ts";
import { runProgram, writeFile } from "../../support/program.ts";

/** The location of the page. */
export const ONNX_DOCS: URL = new URL("../../docs/onnx-operators.md", import.meta.url);

const INTRODUCTION = `# Operators of ONNX

What \`@webnn/deno/onnx\` takes, of operator sets 7 to ${NEWEST}. This page is generated from the rows in \`src/onnx/rows/\` by
\`deno task docs:onnx\`; do not edit it. \`deno task test:onnx\` runs ONNX's own node tests and lists what is refused, and why.

- The versions are those at which a definition that differs begins; each holds until the next. An operator whose first
  version is above 7 was added then.
- **folded**: with inputs that are known while the graph is built, the operator is computed then, and none is left.
- If with a condition that is known, Loop and Scan with a number of iterations that is known, and functions of the model
  are taken too.
- float64 is computed as float32, a bool is a uint8 of 0 and 1.
- Inputs that decide over shapes, such as axes, sizes and repeats, may be initializers, computed from shapes, or inputs of
  the model: then each value makes a graph of its own.
`;

const REFUSED = `## What is refused

A model is taken as a whole or refused with a list of the nodes that stand against it. Besides operators without a row:

- Shapes that depend on elements which only a run computes: NonZero, Compress, Range and the like of computed values;
  NonMaxSuppression and Unique.
- Randomness: Dropout in training, Bernoulli, RandomNormal and their kind.
- What ONNX and its engines, or two releases of ONNX, define in two ways: Attention of version 23 with several heads in an
  input of three axes, with groups of heads that share keys, or with softcap beside a mask; Resize by a scale that gives no
  whole size where corners are aligned, and by scales beside a part of the input; \`noop_with_empty_axes\` of ReduceL1, L2,
  LogSum, LogSumExp and SumSquare without axes.
- What would cost too much: sorting (TopK of more than 16) where elements times axis exceed 2²⁶, ScatterElements and
  ScatterND with a reduction of more than 512 updates, recurrent networks beyond WebNN's options of more than 1,024 steps,
  Fourier transforms of more than 4,096 elements, determinants of more than 5 rows.
- Strings, sequences, images, trees, 16-bit and 8-bit floats as results.
`;

/** The text of the page. */
export function onnxDocs(): string {
  const domains = Map.groupBy(allRows(), ({ domain }) => domain);
  const tables = Array.from(domains, ([domain, rows]) => {
    const head = [`## ${domain || "ai.onnx"}`, "", "| Operator | Versions | |", "| --- | --- | --- |"];
    return [...head, ...rowLines(domain, rows).toSorted(), ""].join("\n");
  });
  return [INTRODUCTION, ...tables, REFUSED].join("\n");
}

function rowLines(domain: string, rows: readonly Row[]): string[] {
  const folded = new Set(domain === "" ? evaluated() : []);
  const line = (name: string, versions: string) => {
    const link = domain === "" ? `[${name}](https://onnx.ai/onnx/operators/onnx__${name}.html)` : name;
    return `| ${link} | ${versions} | ${folded.has(name) ? "folded" : ""} |`;
  };
  const lines = rows.map(({ name, since }) => line(name, since.join(", ")));
  const named = new Set(rows.map(({ name }) => name));
  return [...lines, ...[...folded].filter((name) => !named.has(name)).map((name) => line(name, "all"))];
}

const HELP = `Writes docs/onnx-operators.md anew.

Usage: deno task docs:onnx`;

if (import.meta.main) await runProgram("docs:onnx", HELP, {}, async () => await writeFile(ONNX_DOCS, onnxDocs()));
