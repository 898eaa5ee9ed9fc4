/**
 * Converters for the descriptors that scripts pass.
 *
 * @module
 */

import { descriptorType, integers } from "../ops/parameters.ts";
import { boolean, dictionary, withDefault } from "../webidl/converters.ts";

const operandMembers = { dataType: descriptorType, shape: integers };
const flag = withDefault(boolean, false);

/** MLOperandDescriptor. */
export const operandDescriptor = dictionary(operandMembers);

/** MLTensorDescriptor. */
export const tensorDescriptor = dictionary({ readable: flag, writable: flag }, operandMembers);
