/**
 * Converters for the parameters and options of the rows. They are named constants because TypeScript infers `unknown`
 * for combinators nested inside a row.
 *
 * @module
 */

import { DATA_TYPES, FOUR_BIT_DATA_TYPES } from "../data_type.ts";
import {
  boolean,
  double,
  enumeration,
  float,
  i32EnforceRange,
  mlNumber,
  oneOrSequence,
  optional,
  required,
  sequence,
  u32,
  u32EnforceRange,
  withDefault,
} from "../webidl/converters.ts";

/** MLOperandDataType. */
export const dataType = enumeration("MLOperandDataType", DATA_TYPES);
/** MLOperandDataType and the 4-bit types, an extension that only descriptors accept. */
const descriptorDataType = enumeration("MLOperandDataType", [...DATA_TYPES, ...FOUR_BIT_DATA_TYPES]);
/** MLInputOperandLayout. */
export const inputOperandLayout = enumeration("MLInputOperandLayout", ["nchw", "nhwc"]);
const conv2dFilterLayout = enumeration("MLConv2dFilterOperandLayout", ["oihw", "hwio", "ohwi", "ihwo"]);
const convTranspose2dFilterLayout = enumeration("MLConvTranspose2dFilterOperandLayout", ["iohw", "hwoi", "ohwi"]);
const roundingType = enumeration("MLRoundingType", ["floor", "ceil"]);
const gruWeightLayout = enumeration("MLGruWeightLayout", ["zrn", "rzn"]);
const lstmWeightLayout = enumeration("MLLstmWeightLayout", ["iofg", "ifgo"]);
const paddingMode = enumeration("MLPaddingMode", ["constant", "edge", "reflection"]);
const interpolationMode = enumeration("MLInterpolationMode", ["nearest-neighbor", "linear"]);
const recurrentActivation = enumeration("MLRecurrentNetworkActivation", ["relu", "sigmoid", "tanh"]);
const recurrentDirection = enumeration("MLRecurrentNetworkDirection", ["forward", "backward", "both"]);

const u32List = sequence(u32EnforceRange);
const floatList = sequence(float);
const wrappingU32List = sequence(u32);
const activationList = sequence(recurrentActivation);
const u32OrList = oneOrSequence(u32EnforceRange);

/** A required `[EnforceRange] unsigned long`. */
export const integer = required(u32EnforceRange);
/** A required `unsigned long`, which wraps modulo 2³². */
export const wrappingInteger = required(u32);
/** A required `sequence<[EnforceRange] unsigned long>`. */
export const integers = required(u32List);
/** A required `sequence<unsigned long>`, whose items wrap modulo 2³². */
export const wrappingIntegers = required(wrappingU32List);
/** A required `([EnforceRange] unsigned long or sequence<[EnforceRange] unsigned long>)`. */
export const integerOrIntegers = required(u32OrList);
/** A required MLOperandDataType. */
export const aDataType = required(dataType);
/** A required MLOperandDataType or 4-bit type. */
export const descriptorType = required(descriptorDataType);

/** An optional `sequence<[EnforceRange] unsigned long>`. */
export const maybeIntegers = optional(u32List);
/** An optional `sequence<float>`. */
export const maybeFloats = optional(floatList);
/** An optional MLNumber. */
export const maybeNumber = optional(mlNumber);
/** An optional list of activations. */
export const maybeActivations = optional(activationList);

/** `[EnforceRange] unsigned long = 1`. */
export const integer1 = withDefault(u32EnforceRange, 1);
/** `[EnforceRange] unsigned long = 0`. */
export const integer0 = withDefault(u32EnforceRange, 0);
/** `[EnforceRange] long = 0`. */
export const signedInteger0 = withDefault(i32EnforceRange, 0);
/** `MLNumber = 0`. */
export const number0 = withDefault(mlNumber, 0);
/** `double = 1`. */
export const double1 = withDefault(double, 1);
/** `double = 1e-5`, the ε of normalisations. */
export const epsilon = withDefault(double, 1e-5);
/** `boolean = false`. */
export const booleanFalse = withDefault(boolean, false);
/** `boolean = true`. */
export const booleanTrue = withDefault(boolean, true);
/** `MLOperandDataType = "int32"`. */
export const int32Type = withDefault(dataType, "int32");
/** `MLPaddingMode = "constant"`. */
export const constantPadding = withDefault(paddingMode, "constant");
/** `MLInputOperandLayout = "nchw"`. */
export const inputLayout = withDefault(inputOperandLayout, "nchw");
/** `MLConv2dFilterOperandLayout = "oihw"`. */
export const conv2dLayout = withDefault(conv2dFilterLayout, "oihw");
/** `MLConvTranspose2dFilterOperandLayout = "iohw"`. */
export const convTranspose2dLayout = withDefault(convTranspose2dFilterLayout, "iohw");
/** `MLRoundingType = "floor"`. */
export const rounding = withDefault(roundingType, "floor");
/** `MLGruWeightLayout = "zrn"`. */
export const gruLayout = withDefault(gruWeightLayout, "zrn");
/** `MLLstmWeightLayout = "iofg"`. */
export const lstmLayout = withDefault(lstmWeightLayout, "iofg");
/** `MLRecurrentNetworkDirection = "forward"`. */
export const direction = withDefault(recurrentDirection, "forward");
/** `MLInterpolationMode = "nearest-neighbor"`. */
export const interpolation = withDefault(interpolationMode, "nearest-neighbor");
