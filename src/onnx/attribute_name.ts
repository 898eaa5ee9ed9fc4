/**
 * The names of the attributes that rows read.
 *
 * @module
 */

/** A text with names between spaces, as a union of the names. */
type Words<Text extends string> = Text extends `${infer First} ${infer Rest}` ? First | Words<Rest> : Text;

/** An attribute of an operator of ONNX or com.microsoft. A name that no operator has is a type error in a row. */
export type AttributeName =
  | Words<"activation activation_alpha activation_beta activation_params activations align_corners allowzero alpha">
  | Words<"antialias approximate auto_pad axes axis batch_axis batch_dims beta bias bits block_size blocksize body">
  | Words<"ceil_mode channels_last clip coordinate_transformation_mode count_include_pad cubic_coeff_a">
  | Words<"detect_negative detect_positive dilations direction do_rotary dtype else_branch end ends epsilon equation">
  | Words<"exclude_outside exclusive extrapolation_value fmod gamma gather_axis group ignore_index input_forget">
  | Words<"interleaved inverse is_causal is_packed_batching K k keep_aspect_ratio_policy keepdims kernel_shape">
  | Words<"kv_num_heads lambd largest layout linear_before_reset local_window_size mask_filter_value max min mode">
  | Words<"momentum N nearest_mode noop_with_empty_axes num_groups num_heads num_outputs num_scan_inputs offset_group">
  | Words<"onesided opset output_datatype output_dtype output_height output_padding output_shape output_width p">
  | Words<"padding_mode pads periodic perm q_num_heads qk_matmul_output_mode qkv_hidden_sizes quantize_axis reduction">
  | Words<"repeats reverse rotary_embedding_dim rotary_interleaved sampling_ratio scale scales scan_input_axes">
  | Words<"scan_input_directions scan_output_axes scan_output_directions select_last_index size smooth_softmax">
  | Words<"softcap softmax_precision spatial spatial_scale split start starts storage_order strides then_branch">
  | Words<"threshold time_axis to training_mode transA transB transBatchA transBatchB unidirectional upper value">
  | Words<"value_float value_floats value_int value_ints">;
