"""The whole first system on 118 sample photos: from photos to a recognition table and a report.

python tools/demo.py
"""

import dataclasses
import time
from pathlib import Path

from lrfr_tf.config import option
from lrfr_tf.experiment import RECOGNITION_STEPS, Experiment, in_checkout, recognition_steps
from lrfr_tf.main import run
from lrfr_tf.weights.sample_package import fetch_samples

NOTE = (
    "A demonstration, not a measurement: 25 test photos of 5 persons, and super-resolution networks trained for a few "
    "minutes on the same persons' training photos. One photo is 4 percentage points."
)


@dataclasses.dataclass(frozen=True)
class Config:
    output: str = option("runs/demo", "run folder; what is finished in it is not done again")
    srcnn_steps: int = option(1_500, "training steps of SRCNN")
    pixel_steps: int = option(800, "training steps of SRGAN's generator on pixels")
    adversarial_steps: int = option(100, "training steps of SRGAN against its discriminator")


def main(config: Config) -> None:
    started = time.monotonic()
    output = Path(config.output)
    data = output / "faces"
    _, photos = fetch_samples()
    experiment = Experiment(output / "steps.json", 3 + RECOGNITION_STEPS)
    experiment.run(
        "find and frame the faces",
        "tools/prepare_folder.py",
        f"--images={photos / 'train'}",
        f"--test_images={photos / 'val'}",
        f"--output={data}",
    )
    experiment.run(
        "train SRCNN",
        "-m lrfr_tf.train_srcnn",
        f"--flagfile={in_checkout('configs/demo_srcnn.cfg')}",
        f"--data={data}",
        f"--steps={config.srcnn_steps}",
        f"--output={output}/srcnn",
    )
    experiment.run(
        "train SRGAN",
        "-m lrfr_tf.train_srgan",
        f"--flagfile={in_checkout('configs/demo_srgan.cfg')}",
        f"--data={data}",
        f"--pixel_steps={config.pixel_steps}",
        f"--adversarial_steps={config.adversarial_steps}",
        f"--output={output}/srgan",
    )
    models = (f"{output}/srcnn/model", f"{output}/srgan/model")
    recognition_steps(experiment, str(data), str(output), models, ("--title=Demo: 118 photos", f"--note={NOTE}"))
    print(f"\nThe demo took {(time.monotonic() - started) / 60:.1f} minutes.")


if __name__ == "__main__":
    run(main, Config)
