"""Lists the networks that can be given by their name, and the terms of their weights.

    lrfr models

A name is looked up in the folders of $LRFR_TF_MODELS, in the checkout's saved_models/ and in the installed package.
"""

import dataclasses

from lrfr_tf.networks.shipped import list_models


@dataclasses.dataclass(frozen=True)
class Config:
    pass


def main(config: Config) -> None:
    for model in list_models():
        print(f"{model.name}, version {model.version} ({model.kind.replace('_', '-')}): {model.path}")
        print(f"    {model.terms or 'no terms are noted.'}")
