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
import type { MachineLimits } from "./machine.ts";
import { PEER, type SeedsReport } from "./measure.ts";
import { CATEGORIES, type Category, type Seed } from "./seed.ts";

/** The goals: the maximum ratio of a figure, the maximum mean ratio, and the minimum share of STREAM's triad. */
const [EACH, MEAN, TRIAD_SHARE] = [2, 1, 0.9];

/** What the seed documents measure and this page does not, with the reason. */
const NOT_MEASURED = [
  "automatic differentiation (WebNN has none)",
  "cache hit rates and energy (reading the processor's counters needs system privileges)",
  "Metal, Core ML and the Neural Engine (they need a Mac: `deno task device:coreml` reports on one)",
  "CUDA (it needs an NVIDIA GPU: `deno task bench:report --device cuda --suite seeds`)",
  "tensors without a copy (the engine owns a written tensor, because JavaScript may move or free its memory)",
].join("; ");

/** The tables of figures: a title, and the categories whose rows and columns it has. */
const TABLES: readonly (readonly [string, ...Category[]])[] = [
  [CATEGORIES.tensors, "tensors"],
  [CATEGORIES.matmul, "matmul"],
  ["Convolutions, pools, normalisations", "convolutions", "pools", "norms"],
  ["Inference by batch", "networks", "models"],
  [CATEGORIES.transformers, "transformers"],
  [CATEGORIES.threads, "threads"],
  [CATEGORIES.optimizers, "optimizers"],
  [CATEGORIES.decompositions, "decompositions"],
  [CATEGORIES.transfers, "transfers"],
  ["Start and memory", "starts", "memory"],
];

/** How to read the tables. */
const EXPLANATION = [
  `A time is the median of a run whose result stays on the device; **bold** is the time divided by ${PEER}'s (less is ` +
  "better). G/s are 10⁹ elements per second; GB/s count operands and results once. The letter says what bounds an " +
  "operation: l (latency): an operation on one element takes half of the time; m (memory): STREAM's triad takes half of " +
  "the time to move as many bytes; c (compute): neither. Percentages of matrix products and convolutions are shares of " +
  "the multiply-adds that the processor computes in registers.",
  "WebNN has no 3-D convolutions, adaptive pools or group normalisation: they are built from what it has. " +
  `Optimisers are compared with torch.optim's; L-BFGS has ten earlier steps and no line ` +
  `search. Decompositions are unrolled: QR by reflections, the others by six sweeps of Jacobi rotations; residuals and ` +
  "deviations from orthogonality are at most 2e-5 of the largest element; their peer is NumPy's LAPACK, which stops when " +
  `it has converged. ${PEER}'s attention is scaled_dot_product_attention. ${PEER} builds no graph: its build only reads the ` +
  "weights. Memory is the peak of the process above that of a process that computes one element.",
].join(" ");

/** The page. `comparison` is a section of it. */
export function writeSeeds(report: SeedsReport, seeds: readonly Seed[], comparison: readonly string[] = []): string {
  const { machine, command, rounds, limits, suites, skipped } = report;
  const engines = suites[0]?.contestants.flatMap(({ engine }) => engine ?? []) ?? [];
  return [
    "# The benchmarks of the seeds",
    `${machine.cpu}, ${machine.cores} hardware threads, ${machine.system}, Deno ${machine.deno}; ${
      engines.join("; ")
    }. ` +
    `Load before the start: ${
      machine.load.toFixed(2)
    }. Written by \`${command}\`. In each of ${rounds} rounds (at most 3 ` +
    `for long work), ${WEBNN} and ${PEER} do the same work in turn, with the same threads and the same numbers. Every ` +
    "result is checked.",
    EXPLANATION,
    ...limits.length > 0 ? [limitsTable(limits)] : [],
    goalTable(report, seeds),
    ...slowRows(report, seeds),
    ...categoryMeans(report, seeds),
    headlineTable(report, seeds),
    ...TABLES.flatMap(([title, ...categories]) => section(report, seeds, title, categories)),
    ...comparison,
    `Not measured here: ${NOT_MEASURED}.`,
    ...problems(suites),
    ...skipped.map((reason) => `Not measured: ${reason}`),
  ].join("\n\n") + "\n";
}

function limitsTable(limits: readonly MachineLimits[]): string {
  const sizes = limits[0]!.memory.map(({ bytes }) => `triad of ${formatBytes(bytes)}`);
  return table(
    ["The machine, threads", ...sizes, "multiply-adds"],
    limits.map(({ threads, memory, flops }) => [
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
  return table(["Goals", "threads", "goal", "measured", "met"], rows);
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

/** The geometric mean of the ratios of each category. */
function categoryMeans(report: SeedsReport, seeds: readonly Seed[]): string[] {
  const means = (Object.keys(CATEGORIES) as Category[]).flatMap((category) => {
    const mean = meanRatio(figuresOf(report, seeds, category).filter(counts));
    return Number.isNaN(mean) ? [] : [`${category} ${mean.toFixed(2)}`];
  });
  return means.length === 0 ? [] : [`Geometric means by category: ${means.join(", ")}.`];
}

/** A table of figures for each number of threads; one for all if its columns are the numbers of threads. */
function section(
  report: SeedsReport,
  seeds: readonly Seed[],
  title: string,
  categories: readonly Category[],
): string[] {
  const figures = categories.flatMap((category) => figuresOf(report, seeds, category));
  if (figures.length === 0) return [];
  if (categories.includes("threads")) return [pivot(title, figures)];
  const counts = [...new Set(figures.map(({ threads }) => threads))];
  return counts.map((count) => {
    const own = figures.filter(({ threads }) => threads === count);
    return pivot(counts.length > 1 ? `${title}, ${plural(count, "thread")}` : title, own);
  });
}

/** A table of figures: rows by columns. Columns that are numbers are sorted. */
function pivot(title: string, figures: readonly Figure[]): string {
  const columns = [...new Set(figures.map(({ seed }) => seed.column))];
  if (columns.every((column) => /^\d+$/.test(column))) columns.sort((a, b) => Number(a) - Number(b));
  const rows = [...new Set(figures.map(({ seed }) => seed.row))];
  const cell = (row: string, column: string) => {
    const found = figures.find(({ seed }) => seed.row === row && seed.column === column);
    return found === undefined ? "" : cellOf(found);
  };
  return table([title, ...columns], rows.map((row) => [row, ...columns.map((column) => cell(row, column))]));
}

/** A chart of ratios per category and number of threads. */
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
