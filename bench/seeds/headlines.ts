/**
 * The figures in the seed documents, which are from other machines and programs, compared with ours.
 *
 * @module
 */
import { formatTime, table } from "../report/figures.ts";
import { type Figure, figuresOf } from "./figures.ts";
import type { SeedsReport } from "./measure.ts";
import type { Seed } from "./seed.ts";

/** Each line: document | work | its figures | our suites in the same order | their category and column | the format. */
const HEADLINES = `
000 | matrix products of 512 × 512 | 6.66 (CPU), 69.65 (Metal), 6.59 (Core ML) /s | matmul-512 | matmul | rate
000 | convolutions (here: two and a sum) | 223.59, 478.49, 17,602 (on the CPU) /s | conv-block | convolutions | rate
000 | attention (here: 128 tokens) | 60.68, 407.63, 161.58 /s | attention-128 | transformers | rate
002 | steps of Adamax, NAdam, RAdam, L-BFGS | 33,632; 30,245; 28,891; 15,678 /s | adamax-1024 nadam-1024 radam-1024 lbfgs-1024 | optimizers | rate
002 | additions of 10 M and 1 K elements | 34 K to 2.3 M /s | add-10000000 add-1000 | tensors | rate
002 | sum of 1 K elements | 52 M (without a unit) | sum-1000 | tensors | rate
002 | matrix products of 64, 128, 256, 512 | 0.77, 0.76, 0.76, 0.71 GFLOP/s | matmul-64 matmul-128 matmul-256 matmul-512 | matmul | flops
002 | inference, batches of 32, 64, 128 | 59.86, 29.35, 15.09 /s | mlp-32 mlp-64 mlp-128 | networks | rate
002 | QR of 4, 8, 12, 16 | 6, 24, < 1, 107 µs | qr-4 qr-8 qr-12 qr-16 | decompositions | time
002 | eigenvalues of 4, 8, 12, 16 | 67, 165, ~260, 473 µs | eigen-4 eigen-8 eigen-12 eigen-16 | decompositions | time
002 | SVD of 4, 8, 12, 16 | ~100 µs, ~1 ms, ~133 µs, ~7 ms | svd-4 svd-8 svd-12 svd-16 | decompositions | time
003 | warm runs: simple, complex, MobileNetV2 | 24.8, 19.00, 71.65 ms (ONNX, CPU); the last 44.49 on a GPU | simple complex mobilenetv2 | starts, later run | time
004 | matrix products of 64 to 1024 | 1.1, 14.0, 77.0, 213.0, 1,129 GFLOP/s (Metal, M4 Pro) | matmul-64 matmul-128 matmul-256 matmul-512 matmul-1024 | matmul | flops
004 | copies of four shapes to the device | 21.6, 13.7, 1.5, 16.3 GB/s | transfer-1x3x224x224 transfer-1x3x512x512 transfer-1x768 transfer-16x128x128 | transfers, to the device | copied
004 | classifier, 224 × 224 (here: MobileNetV2) | 0.11 ms without a model; 1-3 ms expected | mobilenetv2 | models | time
004 | detector, 640 × 640 (here: YOLOv8 n) | 0.26 ms without a model; 10-20 ms expected | detector-1 | models | time
`;

const FORMATS: Readonly<Record<string, (figure: Figure) => string>> = {
  time: ({ value }) => formatTime(value),
  rate: ({ value }) => `${(1000 / value).toLocaleString("en", { maximumSignificantDigits: 4 })}/s`,
  flops: ({ flops }) => `${flops.toPrecision(3)} GFLOP/s`,
  copied: ({ traffic }) => `${traffic.toPrecision(3)} GB/s`,
};

/** The table of all headline figures, with the smallest number of threads in the report. */
export function headlineTable(report: SeedsReport, seeds: readonly Seed[]): string {
  const threads = Math.min(...report.threads);
  const figures = figuresOf(report, seeds).filter((figure) => figure.threads === threads);
  const rows = HEADLINES.trim().split("\n").map((line) => {
    const [document, what, theirs, suites, place, format] = line.split(" | ") as [string, ...string[]];
    const [category, column] = place!.split(", ");
    const here = suites!.split(" ").map((suite) => {
      const figure = figures.find(({ seed }) =>
        seed.suite === suite && seed.category === category && (column ?? seed.column) === seed.column
      );
      return figure === undefined ? "not measured" : FORMATS[format!]!(figure);
    });
    return [document, what!, theirs!, here.join("; ")];
  });
  return table(["Document", "figure", "in the document", "here"], rows);
}
