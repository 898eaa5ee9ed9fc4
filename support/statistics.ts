/**
 * Statistics of repeated measurements.
 *
 * @module
 */

/** The median: the middle value, or the mean of the two middle values; NaN for no values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The median and the quartiles: half of all values are between p25 and p75. */
export interface Spread {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
}

/** The spread of values; NaN for no values. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), p25: quantile(values, 0.25), p75: quantile(values, 0.75) };
}

/** A linearly interpolated quantile: a part `share` of the values is below it. NaN for no values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const lower = sorted[below] ?? NaN;
  const upper = sorted[below + 1] ?? lower;
  return lower + (upper - lower) * (position - below);
}

/** The mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A least-squares line. */
export interface Line {
  readonly slope: number;
  /** The standard error of the slope. It is 0 for two values. */
  readonly error: number;
}

/** Fits a line. Without `xs`, the values are 1 apart. */
export function fitLine(values: readonly number[], xs: readonly number[] = values.map((_, i) => i)): Line {
  const [meanX, meanY] = [mean(xs), mean(values)];
  const sum = (term: (x: number, y: number) => number) =>
    xs.reduce((total, x, i) => total + term(x - meanX, values[i]! - meanY), 0);
  const xx = sum((x) => x * x);
  const slope = sum((x, y) => x * y) / xx;
  const residual = sum((x, y) => (y - slope * x) ** 2);
  return { slope, error: Math.sqrt(residual / Math.max(1, values.length - 2) / xx) };
}
