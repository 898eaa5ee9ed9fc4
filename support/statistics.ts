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

/** The slope of the least-squares line. Without `xs`, the values are 1 apart. */
export function slopeOf(values: readonly number[], xs: readonly number[] = values.map((_, i) => i)): number {
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const [meanX, meanY] = [mean(xs), mean(values)];
  let [xy, xx] = [0, 0];
  xs.forEach((x, i) => {
    xy += (x - meanX) * (values[i]! - meanY);
    xx += (x - meanX) ** 2;
  });
  return xy / xx;
}
