"""OpenVINO as a contestant: it reads model.onnx, and computes in float32."""

import numpy
import openvino

from protocol import read_inputs, read_job, serve


class Engine:
    def __init__(self):
        threads, _, self.folder = read_job()
        self.core = openvino.Core()
        self.options = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self.inputs = None

    def build(self):
        self.request = self.core.compile_model(f"{self.folder}/model.onnx", "CPU", self.options).create_infer_request()
        if self.inputs is not None:
            self.bind()

    def prepare(self):
        shapes = [tuple(port.shape) for port in self.request.model_inputs]
        self.inputs = [openvino.Tensor(values, shared_memory=True) for values in read_inputs(self.folder, shapes)]
        self.bind()
        self.buffer = numpy.empty(tuple(self.request.model_outputs[0].shape), numpy.float32)

    def bind(self):
        for index, tensor in enumerate(self.inputs):
            self.request.set_input_tensor(index, tensor)

    def run(self):
        self.request.infer()
        numpy.copyto(self.buffer, self.request.get_output_tensor(0).data)

    def fresh(self):
        self.request.infer()
        return self.request.get_output_tensor(0).data.copy()


serve(f"OpenVINO {openvino.__version__.split('-')[0]}", Engine())
