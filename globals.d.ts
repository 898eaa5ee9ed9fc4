/**
 * The types of the globals that `@webnn/deno/polyfill` installs. Modules on JSR may not augment globals, so a program has to name
 * this file itself: `"compilerOptions": { "types": ["./globals.d.ts"] }`.
 *
 * @module
 */

import type * as webnn from "@webnn/deno";

declare global {
  interface Navigator {
    /** The entry point of the WebNN API. */
    readonly ml: webnn.ML;
  }
  interface WorkerNavigator {
    /** The entry point of the WebNN API. */
    readonly ml: webnn.ML;
  }

  type ML = webnn.ML;
  var ML: typeof webnn.ML;
  type MLContext = webnn.MLContext;
  var MLContext: typeof webnn.MLContext;
  type MLGraph = webnn.MLGraph;
  var MLGraph: typeof webnn.MLGraph;
  type MLGraphBuilder = webnn.MLGraphBuilder;
  var MLGraphBuilder: typeof webnn.MLGraphBuilder;
  type MLOperand = webnn.MLOperand;
  var MLOperand: typeof webnn.MLOperand;
  type MLTensor = webnn.MLTensor;
  var MLTensor: typeof webnn.MLTensor;

  type MLArgMinMaxOptions = webnn.MLArgMinMaxOptions;
  type MLBatchNormalizationOptions = webnn.MLBatchNormalizationOptions;
  type MLBatchNormalizationSupportLimits = webnn.MLBatchNormalizationSupportLimits;
  type MLBinarySupportLimits = webnn.MLBinarySupportLimits;
  type MLClampOptions = webnn.MLClampOptions;
  type MLConcatSupportLimits = webnn.MLConcatSupportLimits;
  type MLContextLostInfo = webnn.MLContextLostInfo;
  type MLContextOptions = webnn.MLContextOptions;
  type MLConv2dFilterOperandLayout = webnn.MLConv2dFilterOperandLayout;
  type MLConv2dOptions = webnn.MLConv2dOptions;
  type MLConv2dSupportLimits = webnn.MLConv2dSupportLimits;
  type MLConvTranspose2dFilterOperandLayout = webnn.MLConvTranspose2dFilterOperandLayout;
  type MLConvTranspose2dOptions = webnn.MLConvTranspose2dOptions;
  type MLCumulativeSumOptions = webnn.MLCumulativeSumOptions;
  type MLEluOptions = webnn.MLEluOptions;
  type MLGatherOptions = webnn.MLGatherOptions;
  type MLGatherSupportLimits = webnn.MLGatherSupportLimits;
  type MLGemmOptions = webnn.MLGemmOptions;
  type MLGemmSupportLimits = webnn.MLGemmSupportLimits;
  type MLGruCellOptions = webnn.MLGruCellOptions;
  type MLGruCellSupportLimits = webnn.MLGruCellSupportLimits;
  type MLGruOptions = webnn.MLGruOptions;
  type MLGruSupportLimits = webnn.MLGruSupportLimits;
  type MLGruWeightLayout = webnn.MLGruWeightLayout;
  type MLHardSigmoidOptions = webnn.MLHardSigmoidOptions;
  type MLInputOperandLayout = webnn.MLInputOperandLayout;
  type MLInstanceNormalizationOptions = webnn.MLInstanceNormalizationOptions;
  type MLInterpolationMode = webnn.MLInterpolationMode;
  type MLLayerNormalizationOptions = webnn.MLLayerNormalizationOptions;
  type MLLeakyReluOptions = webnn.MLLeakyReluOptions;
  type MLLinearOptions = webnn.MLLinearOptions;
  type MLLogicalNotSupportLimits = webnn.MLLogicalNotSupportLimits;
  type MLLstmCellOptions = webnn.MLLstmCellOptions;
  type MLLstmCellSupportLimits = webnn.MLLstmCellSupportLimits;
  type MLLstmOptions = webnn.MLLstmOptions;
  type MLLstmSupportLimits = webnn.MLLstmSupportLimits;
  type MLLstmWeightLayout = webnn.MLLstmWeightLayout;
  type MLNamedOperands = webnn.MLNamedOperands;
  type MLNamedTensors = webnn.MLNamedTensors;
  type MLNormalizationSupportLimits = webnn.MLNormalizationSupportLimits;
  type MLNumber = webnn.MLNumber;
  type MLOpSupportLimits = webnn.MLOpSupportLimits;
  type MLOperandDataType = webnn.MLOperandDataType;
  type MLOperandDescriptor = webnn.MLOperandDescriptor;
  type MLOperatorOptions = webnn.MLOperatorOptions;
  type MLPadOptions = webnn.MLPadOptions;
  type MLPaddingMode = webnn.MLPaddingMode;
  type MLPool2dOptions = webnn.MLPool2dOptions;
  type MLPowerPreference = webnn.MLPowerPreference;
  type MLPreluSupportLimits = webnn.MLPreluSupportLimits;
  type MLQuantizeDequantizeLinearSupportLimits = webnn.MLQuantizeDequantizeLinearSupportLimits;
  type MLRankRange = webnn.MLRankRange;
  type MLRecurrentNetworkActivation = webnn.MLRecurrentNetworkActivation;
  type MLRecurrentNetworkDirection = webnn.MLRecurrentNetworkDirection;
  type MLReduceOptions = webnn.MLReduceOptions;
  type MLResample2dOptions = webnn.MLResample2dOptions;
  type MLReverseOptions = webnn.MLReverseOptions;
  type MLRoundingType = webnn.MLRoundingType;
  type MLScatterOptions = webnn.MLScatterOptions;
  type MLScatterSupportLimits = webnn.MLScatterSupportLimits;
  type MLSingleInputSupportLimits = webnn.MLSingleInputSupportLimits;
  type MLSliceOptions = webnn.MLSliceOptions;
  type MLSplitOptions = webnn.MLSplitOptions;
  type MLSplitSupportLimits = webnn.MLSplitSupportLimits;
  type MLTensorDescriptor = webnn.MLTensorDescriptor;
  type MLTensorLimits = webnn.MLTensorLimits;
  type MLTransposeOptions = webnn.MLTransposeOptions;
  type MLTriangularOptions = webnn.MLTriangularOptions;
  type MLWhereSupportLimits = webnn.MLWhereSupportLimits;
}
