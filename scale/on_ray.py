"""The same training under Ray Train: Ray starts the workers, and starts them again when it loses one.

On a cluster `ray.init(address="auto")` and a folder that all machines see are all that changes.
"""

import os
import sys


def main(folder, data, temporary):
    os.environ |= {
        "RAY_TRAIN_V2_ENABLED": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DISABLE_IMPORT_WARNING": "1",
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "PYTHONPATH": os.getcwd(),  # the workers inherit it
    }
    import ray
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.tensorflow import TensorflowTrainer

    from scale.train import train

    ray.init(
        num_cpus=3,  # two workers and what leads them
        include_dashboard=False,
        object_store_memory=100 * 2**20,
        _temp_dir=temporary,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
    )
    try:
        TensorflowTrainer(
            train,
            train_loop_config={"folder": folder, "data": data},
            scaling_config=ScalingConfig(num_workers=2),
            run_config=RunConfig(
                name="run", storage_path=f"{folder}/ray", failure_config=FailureConfig(max_failures=2)
            ),
        ).fit()
    finally:
        ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
