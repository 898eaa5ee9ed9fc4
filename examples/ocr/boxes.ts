/**
 * Finds rectangles around lines of text in a map of text probabilities, like the postprocessing of PaddleOCR's DB
 * detector (https://arxiv.org/abs/1911.08947).
 *
 * @module
 */

/** A point in a picture, in pixels from the upper left corner: x to the right, y down. */
export interface Point {
  x: number;
  y: number;
}

/** A rectangle, rotated clockwise about its centre by `angle`, in radians. `width` is along the line of text. */
export interface Box {
  center: Point;
  angle: number;
  width: number;
  height: number;
}

/** For each pixel, row by row, the probability that it belongs to text. */
export interface ProbabilityMap {
  width: number;
  height: number;
  data: Float32Array;
}

/** PaddleOCR's default settings. */
const PIXEL_THRESHOLD = 0.3;
const REGION_THRESHOLD = 0.6;
const MIN_SIDE = 3;
/** The network was trained on shrunken text regions; this factor restores their size. */
const UNCLIP_RATIO = 1.5;
/** A region that is this many times as high as wide contains a vertical line. */
const VERTICAL_RATIO = 1.5;

/**
 * Finds the lines of text, in reading order.
 * @param width, height the size of the picture; the map may be smaller
 */
export function findTextBoxes(map: ProbabilityMap, width: number, height: number): Box[] {
  const scale = { x: width / map.width, y: height / map.height };
  const boxes = findRegions(map)
    .filter(({ score }) => score >= REGION_THRESHOLD)
    .map(({ outline }) => smallestBox(outline.map(({ x, y }) => ({ x: x * scale.x, y: y * scale.y }))))
    .filter((box) => Math.min(box.width, box.height) >= MIN_SIDE)
    .map(grow)
    .map((box) => box.height >= VERTICAL_RATIO * box.width ? readDownwards(box) : box);
  return inReadingOrder(boxes);
}

/** The corners, clockwise from the upper left corner of the text. */
export function cornersOf({ center, angle, width, height }: Box): Point[] {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([right, down]) => ({
    x: center.x + (right! * width * cos - down! * height * sin) / 2,
    y: center.y + (right! * width * sin + down! * height * cos) / 2,
  }));
}

/** Whether a line of text is closer to vertical than to horizontal. */
export function isVertical({ angle }: Box): boolean {
  return Math.abs(Math.sin(angle)) > Math.SQRT1_2;
}

interface Region {
  /** The mean probability of its pixels. */
  score: number;
  /** The corners of the first and the last pixel of each row. They have the same convex hull as the region. */
  outline: Point[];
}

/** The connected regions of pixels above the threshold, diagonal neighbours included. */
function findRegions({ width, height, data }: ProbabilityMap): Region[] {
  const seen = new Uint8Array(width * height);
  const regions: Region[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] || data[start]! <= PIXEL_THRESHOLD) continue;
    seen[start] = 1;
    const stack = [start];
    const rows = new Map<number, { first: number; last: number }>();
    let sum = 0, count = 0;
    while (stack.length > 0) {
      const pixel = stack.pop()!;
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      const { first, last } = rows.get(y) ?? { first: x, last: x };
      rows.set(y, { first: Math.min(first, x), last: Math.max(last, x) });
      sum += data[pixel]!;
      count++;
      for (let ny = Math.max(y - 1, 0); ny <= Math.min(y + 1, height - 1); ny++) {
        for (let nx = Math.max(x - 1, 0); nx <= Math.min(x + 1, width - 1); nx++) {
          const neighbour = ny * width + nx;
          if (seen[neighbour] || data[neighbour]! <= PIXEL_THRESHOLD) continue;
          seen[neighbour] = 1;
          stack.push(neighbour);
        }
      }
    }
    const outline = [...rows].flatMap(([y, { first, last }]) => [
      { x: first, y },
      { x: first, y: y + 1 },
      { x: last + 1, y },
      { x: last + 1, y: y + 1 },
    ]);
    regions.push({ score: sum / count, outline });
  }
  return regions;
}

/** The smallest rectangle around the points. One of its sides lies on a side of their convex hull. */
function smallestBox(points: readonly Point[]): Box {
  const hull = convexHull(points);
  const boxes = hull.map((from, index) => {
    const to = hull[(index + 1) % hull.length]!;
    return boxAlong(hull, withoutQuarterTurns(Math.atan2(to.y - from.y, to.x - from.x)));
  });
  return boxes.reduce((best, box) => box.width * box.height < best.width * best.height ? box : best);
}

/** The smallest rectangle around the points that is rotated by `angle`. */
function boxAlong(points: readonly Point[], angle: number): Box {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = points.map(({ x, y }) => x * cos + y * sin);
  const across = points.map(({ x, y }) => y * cos - x * sin);
  const [left, right] = [Math.min(...along), Math.max(...along)];
  const [top, bottom] = [Math.min(...across), Math.max(...across)];
  const [u, v] = [(left + right) / 2, (top + bottom) / 2];
  const center = { x: u * cos - v * sin, y: u * sin + v * cos };
  return { center, angle, width: right - left, height: bottom - top };
}

/** Adds quarter turns to an angle until it is between -45 and 45 degrees. */
function withoutQuarterTurns(angle: number): number {
  return angle - Math.round(angle / (Math.PI / 2)) * (Math.PI / 2);
}

/** Andrew's monotone chain. */
function convexHull(points: readonly Point[]): Point[] {
  const sorted = points.toSorted((a, b) => a.x - b.x || a.y - b.y);
  const chain = (ordered: readonly Point[]) => {
    const hull: Point[] = [];
    for (const point of ordered) {
      while (hull.length >= 2 && !turnsRight(hull.at(-2)!, hull.at(-1)!, point)) hull.pop();
      hull.push(point);
    }
    return hull.slice(0, -1);
  };
  return [...chain(sorted), ...chain(sorted.toReversed())];
}

function turnsRight(a: Point, b: Point, c: Point): boolean {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 0;
}

function grow(box: Box): Box {
  const distance = box.width * box.height * UNCLIP_RATIO / (2 * (box.width + box.height));
  return { ...box, width: box.width + 2 * distance, height: box.height + 2 * distance };
}

function readDownwards({ center, angle, width, height }: Box): Box {
  return { center, angle: angle + Math.PI / 2, width: height, height: width };
}

/** Sorts boxes by row, then from left to right. Boxes are in one row if their centres differ by less than half a height. */
function inReadingOrder(boxes: readonly Box[]): Box[] {
  const rows: Box[][] = [];
  for (const box of boxes.toSorted((a, b) => a.center.y - b.center.y)) {
    const previous = rows.at(-1)?.at(-1);
    const sameRow = previous && box.center.y - previous.center.y < Math.min(box.height, previous.height) / 2;
    if (sameRow) rows.at(-1)!.push(box);
    else rows.push([box]);
  }
  return rows.flatMap((row) => row.toSorted((a, b) => a.center.x - b.center.x));
}
