import { InferenceSession, Tensor } from "onnxruntime-node";
void [InferenceSession, Tensor];
if (Deno.args[0]) await InferenceSession.create(Deno.args[0]!);
