"""`start()`: the one place that touches the runtime, so that every chapter runs alike."""

import contextlib
import os
import sys
import time

from coursekit import places, surroundings

DEVICES = ("auto", "cpu", "gpu")


def start(seed=0):
    """Import TensorFlow and Keras quietly, fix all seeds, choose the device, set the look of figures.

    seed: an integer from 0 on; NumPy, Python and Keras all start from it.
    The GPU is used when there is one. The environment variable COURSE_DEVICE=cpu keeps to the CPU,
    COURSE_DEVICE=gpu insists on a GPU. Raises CourseError when what is asked for cannot be had.
    One line says what computes, and how many seconds the start took.
    """
    began = time.perf_counter()
    prepare(seed)
    if remark := surroundings.remark():
        print(remark)
    print(f"Ready: {device()}, started in {time.perf_counter() - began:.1f} s.")


def prepare(seed=0):
    """What `start` does, without a word."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if hasattr(sys.stdout, "reconfigure"):  # a script's; not every terminal can write ✓ and ≈
        sys.stdout.reconfigure(errors="replace")
    with silent_log(), surroundings.importing():
        try:
            import keras
            import tensorflow
        except ImportError as error:
            raise places.CourseError(
                f"TensorFlow and Keras could not be imported ({error}). Run `make doctor` to see what is missing."
            ) from None
        choose_device(tensorflow)
        tensorflow.constant(0.0) + 1.0  # the runtime starts here, and so do its log lines
    tensorflow.get_logger().setLevel("ERROR")  # advice on speed, in places that change from run to run
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    keras.utils.set_random_seed(seed)

    from coursekit import figures

    figures.set_style()


def device():
    """What computes, e.g. `CPU with 2 cores`."""
    import tensorflow

    if gpus := tensorflow.config.get_visible_devices("GPU"):
        details = [tensorflow.config.experimental.get_device_details(gpu) for gpu in gpus]
        return f"GPU: {', '.join(detail.get('device_name', 'unknown') for detail in details)}"
    return f"CPU with {os.cpu_count()} core{'s' if os.cpu_count() != 1 else ''}"


def choose_device(tensorflow):
    """Show TensorFlow the devices that COURSE_DEVICE allows; memory of a GPU grows as needed, TF32 is off."""
    wanted = os.environ.get("COURSE_DEVICE", "auto").lower()
    if wanted not in DEVICES:
        raise places.CourseError(f"COURSE_DEVICE is {wanted!r}; it can be one of {', '.join(DEVICES)}.")
    config = tensorflow.config
    gpus = config.list_physical_devices("GPU")
    if wanted == "gpu" and not gpus:
        raise places.CourseError("COURSE_DEVICE is 'gpu', but TensorFlow finds no GPU. Unset it, or see `make doctor`.")
    with contextlib.suppress(RuntimeError):  # a runtime that already started keeps its devices
        if wanted == "cpu":
            config.set_visible_devices([], "GPU")
        else:
            for gpu in gpus:
                config.experimental.set_memory_growth(gpu, True)
    config.experimental.enable_tensor_float_32_execution(False)


@contextlib.contextmanager
def silent_log():
    """Send file descriptor 2 nowhere for a while: C++ log lines of TensorFlow and LiteRT bypass sys.stderr."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
