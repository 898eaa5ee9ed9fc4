/**
 * Figures of repeated measurements.
 *
 * @module
 */

/** The middle of the values, the mean of the two middle ones of an even number; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The middle of repeated measurements, and where its quarters begin and end: half of all values lie from p25 to p75. */
export interface Spread {
  readonly median: number;
  readonly p25: number;
  readonly p75: number;
}

/** The spread of some values; NaN of none. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), p25: quantile(values, 0.25), p75: quantile(values, 0.75) };
}

/** The value below which a share of the values lies, interpolated between the two beside it; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const lower = sorted[below] ?? NaN;
  const upper = sorted[below + 1] ?? lower;
  return lower + (upper - lower) * (position - below);
}

/** The slope of the line that fits the values best, by least squares; where no places are given, they are one apart. */
export function slopeOf(values: readonly number[], places: readonly number[] = values.map((_, i) => i)): number {
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const [meanX, meanY] = [mean(places), mean(values)];
  let [xy, xx] = [0, 0];
  places.forEach((x, i) => {
    xy += (x - meanX) * (values[i]! - meanY);
    xx += (x - meanX) ** 2;
  });
  return xy / xx;
}
