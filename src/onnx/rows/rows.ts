/**
 * All rows, by domain and name.
 *
 * @module
 */

import type { OnnxNode } from "../model.ts";
import type { Row } from "../row.ts";
import { attentions } from "./attention.ts";
import { bits } from "./bits.ts";
import { convolutions } from "./convolution.ts";
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { matrix } from "./matrix.ts";
import { movement } from "./movement.ts";
import { normalizations } from "./normalization.ts";
import { pools } from "./pool.ts";
import { quantization } from "./quantization.ts";
import { quantizedProducts } from "./quantized_products.ts";
import { recurrents } from "./recurrent.ts";
import { reduction } from "./reduction.ts";
import { resizes } from "./resize.ts";
import { sampling } from "./sampling.ts";
import { signals } from "./signal.ts";

const ALL: readonly Row[] = [
  ...elementwise,
  ...bits,
  ...signals,
  ...reduction,
  ...matrix,
  ...convolutions,
  ...pools,
  ...normalizations,
  ...movement,
  ...indexing,
  ...resizes,
  ...sampling,
  ...recurrents,
  ...quantization,
  ...quantizedProducts,
  ...attentions,
];

/** The rows by name, by domain. */
const TABLE = new Map<string, Map<string, Row>>();
for (const row of ALL) TABLE.getOrInsertComputed(row.domain, () => new Map()).set(row.name, row);

/** The row of an operator, if any. */
export function rowOf({ domain, operator }: Pick<OnnxNode, "domain" | "operator">): Row | undefined {
  return TABLE.get(domain)?.get(operator);
}

/** The rows of all supported operators. */
export function allRows(): readonly Row[] {
  return ALL;
}
