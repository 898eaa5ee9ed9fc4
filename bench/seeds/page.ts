/**
 * The report of the seeds as Markdown, and its charts.
 *
 * @module
 */
import { WEBNN } from "../report/contestants.ts";
import { formatTime, plural, table } from "../report/figures.ts";
import type { RatioChart } from "../report/html.ts";
import { problems } from "../report/markdown.ts";
import { cellOf, counts, type Figure, figuresOf, meanRatio, shareOfTriad } from "./figures.ts";
import { headlineTable } from "./headlines.ts";
import type { Roof } from "./machine.ts";
import { PEER, type SeedsReport } from "./measure.ts";
import { CATEGORIES, type Category, type Seed } from "./seed.ts";

/** What the seeds want, beside what they set. */
const [EACH, MEAN, TRIAD_SHARE] = [2, 1, 0.9];

/** What is not here, and why. */
const ABSENT: readonly (readonly [string, string])[] = [
  ["automatic differentiation", "WebNN has none: a graph is what its builder was told"],
  ["hit rates of caches", "a program sees no counters of the processor without rights of the system"],
  ["energy", "the same; on a Mac it wants powermetrics and root"],
  ["Metal, Core ML, the Neural Engine", "only a Mac has them: `deno task device:coreml` is their report"],
  ["CUDA", "`deno task bench:report --device cuda --suite seeds` on a machine that has it"],
  ["3-D convolutions and adaptive pools", "WebNN has neither: what stands here is made of what it has"],
  ["tensors without a copy", "a written tensor belongs to the engine: JavaScript's memory may move or go"],
];

/** The page. `comparison` is a section of it. */
export function writeSeeds(report: SeedsReport, seeds: readonly Seed[], comparison: readonly string[] = []): string {
  const { machine, command, rounds, roofs, suites, skipped } = report;
  const engines = suites[0]?.contestants.flatMap(({ engine }) => engine ?? []) ?? [];
  return [
    "# The benches of the seeds",
    `${machine.cpu}, ${machine.cores} threads of hardware, ${machine.system}, Deno ${machine.deno}; ${
      engines.join("; ")
    }. ` +
    `Load before the start: ${machine.load.toFixed(2)}.`,
    `Written by \`${command}\`. In each of ${rounds} rounds (3 of what takes long), ${WEBNN} and ${PEER} run in turn with ` +
    "the same threads and the same numbers, and every result is checked. A time is the median of a run whose result stays " +
    `on the device, **bold** is that time divided by ${PEER}'s: less is better. G/s are 10⁹ elements a second, GB/s count ` +
    "operands and results once. The letter says what bounds it: l, half of the time is that of an operation on one " +
    "element; m, STREAM's triad on as many bytes takes half of it; c, neither, so arithmetic.",
    ...roofs.length > 0 ? ["## The machine", roofTable(roofs)] : [],
    "## Goals",
    goalTable(report, seeds),
    ...slowRows(report, seeds),
    "## The figures of the seeds, and here",
    headlineTable(report, seeds),
    ...(Object.keys(CATEGORIES) as Category[]).flatMap((category) => section(report, seeds, category)),
    ...comparison,
    "## Not here",
    table(["what", "why"], ABSENT),
    ...problems(suites),
    ...skipped.map((reason) => `Not measured: ${reason}`),
  ].join("\n\n") + "\n";
}

function roofTable(roofs: readonly Roof[]): string {
  const sizes = roofs[0]!.memory.map(({ bytes }) => `triad of ${formatBytes(bytes)}`);
  return table(
    ["threads", ...sizes, "multiply-adds"],
    roofs.map(({ threads, memory, flops }) => [
      `${threads}`,
      ...memory.map(({ rate }) => `${rate.toFixed(1)} GB/s`),
      `${flops.toFixed(1)} GFLOP/s`,
    ]),
  );
}

function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${bytes / 1e3} KB` : `${bytes / 1e6} MB`;
}

function goalTable(report: SeedsReport, seeds: readonly Seed[]): string {
  const figures = figuresOf(report, seeds).filter((figure) => counts(figure) && figure.ratio !== undefined);
  const threads = [...new Set(figures.map((figure) => figure.threads))];
  const rows = threads.flatMap((count) => {
    const own = figures.filter((figure) => figure.threads === count);
    const [slow, mean] = [own.filter(isSlow).length, meanRatio(own)];
    const share = shareOfTriad(report, count);
    return [
      [`each ÷ ${PEER}`, `${count}`, `≤ ${EACH}`, `${own.length - slow} of ${own.length}`, met(slow === 0)],
      [`all ÷ ${PEER}, geometric mean`, `${count}`, `≤ ${MEAN}`, mean.toFixed(2), met(mean <= MEAN)],
      ...share === undefined ? [] : [[
        "add of 10 M elements, rate ÷ STREAM's triad",
        `${count}`,
        `≥ ${TRIAD_SHARE}`,
        share.toFixed(2),
        met(share >= TRIAD_SHARE),
      ]],
    ];
  });
  return table(["figure", "threads", "goal", "measured", "met"], rows);
}

const met = (isMet: boolean) => isMet ? "yes" : "**no**";
const isSlow = ({ ratio }: Figure) => ratio !== undefined && ratio.median > EACH;

function slowRows(report: SeedsReport, seeds: readonly Seed[]): string[] {
  const slow = figuresOf(report, seeds).filter((figure) => counts(figure) && isSlow(figure))
    .toSorted((a, b) => b.ratio!.median - a.ratio!.median);
  if (slow.length === 0) return [];
  const list = slow.map(({ seed, threads, ratio, value }) =>
    `${seed.row} ${seed.column === "figure" ? "" : `${seed.column} `}(${plural(threads, "thread")}): ${
      ratio!.median.toFixed(2)
    }, ` +
    formatTime(value)
  );
  return [`More than ${EACH} times ${PEER}'s: ${list.join("; ")}.`];
}

/** The table of a category for each number of threads: its rows by its columns. */
function section(report: SeedsReport, seeds: readonly Seed[], category: Category): string[] {
  const figures = figuresOf(report, seeds, category);
  if (figures.length === 0) return [];
  // The columns of some categories are the numbers of threads.
  const counts = category === "threads" ? [undefined] : [...new Set(figures.map(({ threads }) => threads))];
  const mean = meanRatio(figures);
  return [
    `## ${CATEGORIES[category]}`,
    ...NOTES[category] ? [NOTES[category]] : [],
    ...counts.flatMap((count) => {
      const own = figures.filter(({ threads }) => count === undefined || threads === count);
      return [...counts.length > 1 ? [`${plural(count!, "thread")}:`] : [], pivot(own)];
    }),
    ...Number.isNaN(mean) || category === "decompositions" ? [] : [`Geometric mean: **${mean.toFixed(2)}**.`],
  ];
}

const NOTES: Partial<Record<Category, string>> = {
  matmul: "The share is that of the multiply-adds that the processor does in registers.",
  decompositions: "Unrolled: QR by reflections, the others by six sweeps of Jacobi's rotations. Residuals and " +
    "orthogonality are within 2e-5 of the largest element. NumPy calls LAPACK, which stops when it is exact.",
  memory: "The peak of the process over that of one that runs one element.",
  optimizers:
    `1 M or 1 K parameters. ${PEER}'s are the steps of torch.optim; L-BFGS has ten earlier steps and no line search.`,
  starts: `${PEER} builds nothing: its time only reads the weights.`,
  transformers: `${PEER} has scaled_dot_product_attention.`,
};

function pivot(figures: readonly Figure[]): string {
  const columns = [...new Set(figures.map(({ seed }) => seed.column))];
  const rows = [...new Set(figures.map(({ seed }) => seed.row))];
  const cell = (row: string, column: string) => {
    const found = figures.find(({ seed }) => seed.row === row && seed.column === column);
    return found === undefined ? "" : cellOf(found);
  };
  return table(["", ...columns], rows.map((row) => [row, ...columns.map((column) => cell(row, column))]));
}

/** A chart of ratios for each category and number of threads. */
export function chartsOf(report: SeedsReport, seeds: readonly Seed[]): RatioChart[] {
  return (Object.keys(CATEGORIES) as Category[]).flatMap((category) => {
    const figures = figuresOf(report, seeds, category).filter(({ ratio }) => ratio !== undefined);
    return [...new Set(figures.map(({ threads }) => threads))].map((threads) => {
      const own = figures.filter((figure) => figure.threads === threads);
      const points = own.map(({ seed, ratio }) => ({ suite: labelOf(seed), contestant: WEBNN, ...ratio! }));
      return {
        title: `${CATEGORIES[category]}, threads: ${threads}`,
        reference: PEER,
        suites: own.map(({ seed }) => labelOf(seed)),
        contestants: [WEBNN],
        points,
      };
    });
  });
}

function labelOf({ row, column }: Seed): string {
  return column === "figure" ? row : `${row}, ${column}`;
}
