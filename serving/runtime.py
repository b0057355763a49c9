"""MLServer's custom runtime: a LiteRT file behind the V2 inference protocol, with checked input and batching."""

import mlserver
import numpy as np
from mlserver.types import InferenceRequest, InferenceResponse, RequestInput, ResponseOutput, TensorData
from mlserver.utils import get_model_uri

from serving import measures
from serving.classifier import EXPECTED, Classifier, Refused, checked


class LiteRT(mlserver.MLModel):
    """One network. MLServer wraps `predict` in its adaptive batching, which joins requests; what one client got wrong
    must not spoil the answers of the others, so requests are checked before they are joined."""

    async def load(self):
        """Read and check the model file that model-settings.json names."""
        self._classify = Classifier(await get_model_uri(self.settings))
        self._labels = self.settings.parameters.extra["labels"]
        self._joined = self.predict  # by now MLServer's batching around our predict
        self.predict = self._checked
        return True

    async def _checked(self, payload):
        """One client's request. Its pictures go on as bytes, which are joined faster than lists of numbers."""
        try:
            if len(payload.inputs) != 1 or payload.inputs[0].name != "image":
                names = [one.name[:40] for one in payload.inputs[:3]]
                raise Refused(f"the inputs are {names}; expected {EXPECTED}.")
            (given,) = payload.inputs
            pictures = checked(given.datatype, given.shape, given.data.root)
        except Refused as refusal:
            raise mlserver.errors.InferenceError(str(refusal)) from None
        data = TensorData.model_construct(root=pictures.tobytes())
        image = RequestInput.model_construct(name="image", datatype="FP32", shape=list(pictures.shape), data=data)
        return await self._joined(InferenceRequest.model_construct(inputs=[image]))

    async def predict(self, payload):
        """A batch of checked requests, joined. Returns probabilities (n, 10) and the most probable label of each."""
        image = payload.inputs[0]
        pictures = np.frombuffer(image.data.root, "float32").reshape(image.shape)
        with measures.SECONDS.labels(self.name).time():
            probabilities = self._classify(pictures)
        measures.PICTURES.labels(self.name).observe(len(pictures))
        labels = [self._labels[number] for number in probabilities.argmax(axis=1)]
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[
                ResponseOutput(
                    name="probabilities",
                    datatype="FP32",
                    shape=[len(pictures), 10],
                    data=probabilities.ravel().astype(float).round(6).tolist(),
                ),
                ResponseOutput(name="label", datatype="BYTES", shape=[len(pictures), 1], data=labels),
            ],
        )
