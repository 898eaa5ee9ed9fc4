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

/** Where the page lies. */
export const OPTIMIZER_DOCS: URL = new URL("../../docs/notes/optimizers.md", import.meta.url);

const INTRODUCTION = `# Optimisers

ONNX Runtime's optimisers take patterns of operators for other ones. Some of these are not the same function: they take one
formula for another, quantise what the program did not, or merge what must stay apart. So each optimiser of version
${REVIEWED_VERSION} is either shown to keep the function, or disabled. What a disabled one would have gained, the rewrites in
\`src/rewrite/\` do under exact conditions. This page is generated from the rows in
\`src/backends/onnxruntime/optimizers.ts\` by \`deno task docs:optimizers\`; do not edit it.

- \`contextInfo(context).optimizersReviewed\` is false with a version of ONNX Runtime newer than ${REVIEWED_VERSION}: it may
  have optimisers that nobody has looked at.
- The fuzz of company (\`deno task fuzz --company --optimizer NAME\`) finds what a disabled one does when it is switched on
  alone; where it does not, the last column says why.
- Tests hold the table against the engine: the transformers that its log names must be those that are proven, and each
  disabled rule must leave its pattern as it is, and change it where it is switched on.
- Execution providers may fuse operators on their own, after these optimisers. Those of OpenVINO, TensorRT, Core ML and
  plug-ins cannot be switched off one by one.
- Casts around operators without a kernel, and copies between devices, are no optimisations: the engine always inserts
  them.
`;

const ENTRIES = `## The entries of a session's configuration
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
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = rows.map((row) => line([row.name, row.kind, row.levels.join(", "), ...texts(row)]));
  return [line(head), line(head.map(() => "---")), ...lines, ""].join("\n");
}

/** The names stand above. */
function entries(): string {
  const [names, ...others] = Object.entries(optimizerEntries(false));
  const lines = others.map(([key, value]) => `- \`${key}\` = \`${value}\``);
  return [`- \`${names![0]}\` = the names of the disabled ones, with \`;\` between them`, ...lines, ""].join("\n");
}

const HELP = `Writes docs/notes/optimizers.md anew: which of ONNX Runtime's graph optimisers run, and why.

Usage: deno task docs:optimizers`;

if (import.meta.main) await runProgram("docs:optimizers", HELP, {}, () => writeFile(OPTIMIZER_DOCS, optimizerDocs()));
