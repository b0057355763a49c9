"""Both networks behind FastAPI, in thirty lines: `.venv-serving/bin/uvicorn serving.app:app` starts it on 127.0.0.1."""

from typing import Annotated, Literal

import numpy as np
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from serving.classifier import EXPORTED, Classifier

app = FastAPI(title="Digits and clothes")
networks = {name: Classifier(EXPORTED / f"{name}.tflite") for name in ("digits", "fashion")}
Pixel = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]  # 0 is black
Picture = Annotated[list[Pixel], Field(min_length=784, max_length=784)]  # row by row


class Pictures(BaseModel):
    pixels: Annotated[list[Picture], Field(min_length=1, max_length=64)]


@app.exception_handler(RequestValidationError)
async def refuse(request, error):  # FastAPI's own answer repeats the input, and fails when that holds NaN
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"]))
    return JSONResponse({"error": f"{where}: {first['msg']}; expected 1 to 64 lists of 784 pixels from 0 to 1."}, 422)


@app.post("/{name}")
async def classify(name: Literal["digits", "fashion"], pictures: Pictures):
    x = np.array(pictures.pixels, "float32").reshape(-1, 28, 28, 1)
    return {"probabilities": networks[name](x).astype(float).round(6).tolist()}
