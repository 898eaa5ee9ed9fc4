/**
 * `deno task docs:optimizers` writes docs/notes/optimizers.md: which of ONNX Runtime's graph optimisers run, and why.
 *
 * @module
 */

import {
  type Optimizer,
  optimizerEntries,
  OPTIMIZERS,
  REVIEWED_VERSION,
} from "../../src/backends/onnxruntime/optimizers.ts";
import { runProgram, writeFile } from "../../support/program.ts";

/** The path of the page. */
export const OPTIMIZER_DOCS: URL = new URL("../../docs/notes/optimizers.md", import.meta.url);

const INTRODUCTION = `# Optimisers

ONNX Runtime's optimisers replace patterns of operators by other operators. Some replacements are not the same function:
they mistake one formula for another, quantise values that the program did not quantise, or merge nodes that differ. So
each optimiser of version ${REVIEWED_VERSION} is either shown to keep the function, or disabled. The rewrites in \`src/rewrite/\` make
the useful replacements of the disabled ones under exact conditions. This page is generated from the rows in
\`src/backends/onnxruntime/optimizers.ts\` by \`deno task docs:optimizers\`; do not edit it.

- \`contextInfo(context).optimizersReviewed\` is false with a version of ONNX Runtime newer than ${REVIEWED_VERSION}: it may have
  new optimisers, which nobody has reviewed.
- The fuzz of combinations (\`deno task fuzz --combinations --optimizer NAME\`) finds the fault of a disabled optimiser if it is
  enabled alone; otherwise the last column says why not.
- Tests compare the table with the engine: the transformers that its log names must be the proven ones, and each
  disabled rule must leave its pattern unchanged, and change it if the rule is enabled.
- Execution providers may fuse operators themselves, after these optimisers. The fusions of OpenVINO, TensorRT, Core ML
  and plug-ins cannot be disabled one by one.
- Casts around operators without a kernel, and copies between devices, are not optimisations: the engine always inserts
  them.
`;

const ENTRIES = `## Entries of the session configuration
`;

/** The text of the page. */
export function optimizerDocs(): string {
  const proven = OPTIMIZERS.filter(({ verdict }) => verdict === "proven");
  const disabled = OPTIMIZERS.filter(({ verdict }) => verdict === "disabled");
  return [
    INTRODUCTION,
    `## Proven: ${proven.length}\n`,
    table(["Name", "Kind", "Levels", "Why"], proven, ({ reason }) => [reason]),
    `## Disabled: ${disabled.length}\n`,
    table(["Name", "Kind", "Levels", "What it does", "Found by the fuzz"], disabled, ({ reason, unfound }) => [
      reason,
      unfound === undefined ? "yes" : `no: ${unfound}`,
    ]),
    ENTRIES,
    entries(),
  ].join("\n");
}

function table(
  head: readonly string[],
  rows: readonly Optimizer[],
  texts: (row: Optimizer) => readonly string[],
): string {
  const lines = [head, ...rows.map((row) => [row.name, row.kind, row.levels.join(", "), ...texts(row)])];
  const widths = head.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |`;
  const [first, ...others] = lines.map(line);
  return [first, line(widths.map((width) => "-".repeat(width))), ...others, ""].join("\n");
}

/** Lists the entries; the names of the optimisers are in the tables above. */
function entries(): string {
  const [names, ...others] = Object.entries(optimizerEntries(false));
  const lines = others.map(([key, value]) => `- \`${key}\` = \`${value}\``);
  return [`- \`${names![0]}\` = the names of the disabled optimisers, separated by \`;\``, ...lines, ""].join("\n");
}

const HELP = `Regenerates docs/notes/optimizers.md: which of ONNX Runtime's graph optimisers run, and why.

Usage: deno task docs:optimizers`;

if (import.meta.main) await runProgram("docs:optimizers", HELP, {}, () => writeFile(OPTIMIZER_DOCS, optimizerDocs()));
