"""Published figures of the benchmarks, to print beside ours. All are per cent.

Sources: "README" is the table in the README of the official implementation of Lai & Lam, "Deep Siamese network for
low-resolution face recognition" (APSIPA ASC 2021), github.com/johnnysclai/Deep-Siamese-network-for-LRFR; "DDL" the
table in the TFace project's DDL; "RPCL" the tables of CMACH508/RPCL_LowResolutionFaceRecognition; "LRFR report" that of
arinaLozhkina/LowResolutionFaceRecognition; "SR_LRFR" that of johnnysclai/SR_LRFR; "CVLFace" that of
mk-minchul/CVLface; "ARoFace" and "PETALface" those projects' READMEs. They were read second-hand in those places.
Figures that we only remember from the literature are left out.
"""

import dataclasses
from collections.abc import Mapping, Sequence

BENCHMARKS = ("lfw", "scface", "survface", "tinyface")

_HR_LR = "image 1 HR, image 2 at S px, aligned 128 px, bicubic"
_130 = "130-way, no SCface fine-tuning"
_NO_FINE_TUNING = "no SCface fine-tuning"
_FINE_TUNED = "fine-tuned on 50 SCface persons, 80-way"
_NOT_TRAINED_AND_ROC = "not trained on SurvFace; the ROC read one step of the curve otherwise"
_TINYFACE = "closed set with distractors"
# AdaFace's evaluation, which its successors use: squares padded, aligned by MTCNN, flipped, fused by length.
_ADAFACE_HARNESS = "closed set with distractors; aligned by MTCNN, with flip and fusion by length"
_DSN = "Lai & Lam, deep Siamese network"


@dataclasses.dataclass(frozen=True)
class Published:
    """One row of a published table.

    Attributes:
        benchmark: one of `BENCHMARKS`.
        method: method, with training set or network where known.
        protocol: what it was measured with, where tables differ in that.
        figures: name of the column -> per cent. lfw: side of the probe in pixels; scface: "distance 1" (4.20 m) to
            "distance 3" (1.00 m), rank-1; survface: "TAR at FAR 30 %" and so on, "AUC"; tinyface: "rank-1", "rank-5".
        source: where the figure was read.
        same_protocol: False where the protocol is not the one of our tool's default.
    """

    benchmark: str
    method: str
    protocol: str
    figures: Mapping[str, float]
    source: str
    same_protocol: bool

    @property
    def marked_protocol(self) -> str:
        """The protocol, marked where it is another than ours."""
        return self.protocol if self.same_protocol else f"other protocol: {self.protocol}"


def _lfw(method: str, figures: Sequence[float], source: str = "README", protocol: str = _HR_LR) -> Published:
    return Published("lfw", method, protocol, dict(zip(("8", "12", "16", "20", "128"), figures, strict=True)), source,
                     protocol == _HR_LR)  # fmt: skip


def _other_lfw(method: str, protocol: str, figures: Mapping[str, float], source: str) -> Published:
    return Published("lfw", method, protocol, figures, source, False)


def _scface(method: str, one: float, two: float, three: float, source: str, protocol: str) -> Published:
    figures = {"distance 1": one, "distance 2": two, "distance 3": three}
    return Published("scface", method, protocol, figures, source, protocol == _130)


def _survface(method: str, figures: Sequence[float]) -> Published:
    names = ("TAR at FAR 30 %", "TAR at FAR 10 %", "TAR at FAR 1 %", "TAR at FAR 0.1 %", "AUC")
    return Published("survface", method, _NOT_TRAINED_AND_ROC, dict(zip(names, figures, strict=True)), "README", True)


def _tinyface(
    method: str, rank_1: float, rank_5: float | None, source: str, protocol: str = _TINYFACE, same: bool = True
) -> Published:
    figures = {"rank-1": rank_1} | ({} if rank_5 is None else {"rank-5": rank_5})
    return Published("tinyface", method, protocol, figures, source, same)


LFW = (
    _lfw(f"{_DSN}, paper", (94.8, 97.6, 98.2, 98.1, 99.1)),
    _lfw(f"{_DSN}, paper's weights, new libraries", (83.53, 94.20, 97.23, 98.37, 99.08)),
    _lfw(f"{_DSN}, authors' rerun 2024", (96.27, 98.15, 98.67, 98.62, 98.67)),
    _other_lfw("FaceMoE, no training at 8 px", "image 1 HR, image 2 at S px; HR is 96 px", {"8": 80.75, "96": 99.73},
               "a digest of the paper"),
    _other_lfw("ArcFace ResNet-18, CASIA", "both images at S px", {"16": 92.30}, "RPCL"),
    _other_lfw("CosFace ResNet-18, CASIA", "both images at S px", {"16": 93.80}, "RPCL"),
    _other_lfw("MagFace ResNet-18, CASIA", "both images at S px", {"16": 94.97}, "RPCL"),
    _other_lfw("RPCL-CosFace ResNet-18, CASIA", "both images at S px", {"16": 95.13}, "RPCL"),
    _other_lfw("SKD", "both images at S px", {"16": 85.87}, "RPCL"),
    _other_lfw("SphereFace-20, bicubic", "image 1 HR, image 2 at W x H px", {"7x6": 59.0, "14x12": 82.8, "28x24": 97.6},
               "SR_LRFR"),
    _other_lfw("SphereFace-20, identity-preserving EDSR", "image 1 HR, image 2 at W x H px",
               {"7x6": 84.0, "14x12": 94.7, "28x24": 98.9}, "SR_LRFR"),
    _other_lfw("CosFace R50, CASIA, half the batches at 16 px", "7 to 112 px",
               {"7": 75.4, "14": 92.7, "28": 97.2, "56": 98.0, "112": 97.9}, "LRFR report"),
    _other_lfw("AdaFace, no training at low resolution", "7 to 112 px",
               {"7": 56.5, "14": 63.2, "28": 96.9, "56": 98.7, "112": 99.1}, "LRFR report"),
    _other_lfw("Octuplet fine-tuning, naive", "7 to 112 px",
               {"7": 73.8, "14": 86.2, "28": 91.4, "56": 92.1, "112": 92.1}, "LRFR report"),
)  # fmt: skip

SCFACE = (
    _scface(f"{_DSN}, paper", 79.7, 95.7, 98.2, "README", _130),
    _scface(f"{_DSN}, paper's weights, new libraries", 78.92, 96.0, 98.77, "README", _130),
    _scface(f"{_DSN}, authors' rerun 2024", 79.85, 96.62, 98.15, "README", _130),
    _scface("AdaFace, released weights", 50.6, 96.9, 99.7, "LRFR report", "130-way, AdaFace's own crops of 112 px"),
    _scface("LDMDS", 62.7, 70.7, 65.5, "DDL", _NO_FINE_TUNING),
    _scface("RICNN", 23.0, 66.0, 74.0, "RPCL", _NO_FINE_TUNING),
    _scface("VGGFace", 41.3, 75.5, 88.8, "RPCL", _NO_FINE_TUNING),
    _scface("LightCNN", 35.8, 79.0, 93.8, "RPCL", _NO_FINE_TUNING),
    _scface("Center loss ResNet", 36.3, 81.8, 94.3, "DDL", _NO_FINE_TUNING),
    _scface("ArcFace R50, CASIA", 48.0, 92.0, 99.3, "DDL", _NO_FINE_TUNING),
    _scface("ArcFace R100, MS1M", 58.9, 98.3, 99.5, "DDL", _NO_FINE_TUNING),
    _scface("CosFace R50, CASIA, half the batches at 16 px", 68.7, 93.4, 92.3, "LRFR report", _NO_FINE_TUNING),
    _scface("ArcFace R50, CASIA, half the batches at 16 px", 73.5, 95.7, 93.2, "LRFR report", _NO_FINE_TUNING),
    _scface("Laplacian-adaptive-margin ArcFace, CASIA", 75.4, 95.1, 94.9, "LRFR report", _NO_FINE_TUNING),
    _scface("TCN", 74.6, 94.9, 98.6, "RPCL", "whether fine-tuned is not said"),
    _scface("Center loss", 54.8, 86.3, 95.8, "DDL", _FINE_TUNED),
    _scface("ArcFace R50, CASIA", 67.3, 93.5, 98.0, "DDL", _FINE_TUNED),
    _scface("DCR", 73.3, 93.5, 98.0, "DDL", _FINE_TUNED),
    _scface("Histogram loss", 74.3, 95.0, 97.3, "DDL", _FINE_TUNED),
    _scface("Focal loss", 76.8, 95.5, 96.8, "DDL", _FINE_TUNED),
    _scface("ArcFace R100, MS1M", 80.5, 98.0, 99.5, "DDL", _FINE_TUNED),
    _scface("OHEM", 82.5, 97.3, 97.5, "DDL", _FINE_TUNED),
    _scface("Triplet loss R50, CASIA", 84.2, 97.2, 99.2, "DDL", _FINE_TUNED),
    _scface("DDL R50, CASIA", 86.8, 98.3, 98.3, "DDL", _FINE_TUNED),
    _scface("RPCL-DCR", 90.4, 98.0, 98.0, "RPCL", _FINE_TUNED),
    _scface("DDL R100, MS1M", 93.2, 99.2, 98.5, "DDL", _FINE_TUNED),
)

SURVFACE = (
    _survface(f"{_DSN}, paper", (75.09, 52.74, 21.41, 11.02, 80.03)),
    _survface(f"{_DSN}, paper's weights, new libraries", (75.15, 52.41, 21.86, 10.49, 80.06)),
    _survface(f"{_DSN}, authors' rerun 2024", (77.56, 56.37, 28.71, 11.88, 82.17)),
    *(
        Published("survface", method, "mean accuracy, CASIA", {"accuracy": accuracy}, "LRFR report", False)
        for method, accuracy in (
            ("AdaFace", 53.2), ("SphereFace", 59.5), ("ArcFace", 63.0), ("CosFace", 64.1),
            ("Octuplet fine-tuning", 66.0), ("Laplacian margin v2", 71.3),
        )
    ),
)  # fmt: skip

TINYFACE = (
    _tinyface("DCR, CASIA at 16 px", 29.0, None, "RPCL"),
    _tinyface("MagFace, CASIA at 16 px", 33.0, None, "RPCL"),
    _tinyface("RPCL-ArcFace, CASIA at 16 px", 35.0, None, "RPCL"),
    _tinyface("AdaFace IR18, CASIA", 56.20, 61.43, "CVLFace", _ADAFACE_HARNESS, False),
    _tinyface("AdaFace IR50, CASIA", 59.44, 64.14, "CVLFace", _ADAFACE_HARNESS, False),
    _tinyface("AdaFace IR18, VGGFace2", 64.62, 69.15, "CVLFace", _ADAFACE_HARNESS, False),
    _tinyface("ArcFace + ARoFace R100, MS1MV2", 67.32, 72.45, "ARoFace", _ADAFACE_HARNESS, False),
    _tinyface("AdaFace R100, MS1MV2", 68.21, 71.54, "AdaFace's issue 39", _ADAFACE_HARNESS, False),
    _tinyface("AdaFace IR101, WebFace4M", 72.02, 74.5, "ARoFace", _ADAFACE_HARNESS, False),
    _tinyface("AdaFace IR101, WebFace12M", 72.29, 74.8, "CVLFace", _ADAFACE_HARNESS, False),
    _tinyface("AdaFace + ARoFace R100, WebFace4M", 73.98, 76.47, "ARoFace", _ADAFACE_HARNESS, False),
    _tinyface("ViT-B AdaFace, WebFace4M", 74.79, 77.58, "CVLFace", _ADAFACE_HARNESS, False),
    _tinyface("ViT-B KP-RPE AdaFace, WebFace4M", 75.75, 78.49, "CVLFace", _ADAFACE_HARNESS, False),
    _tinyface("ViT-B KP-RPE AdaFace, WebFace12M", 76.10, 78.92, "CVLFace", _ADAFACE_HARNESS, False),
    _tinyface("Swin-B, WebFace4M", 71.32, 76.42, "PETALface", "fine-tuned on TinyFace", False),
    _tinyface("Swin-B LoRA, WebFace4M", 75.64, 78.99, "PETALface", "fine-tuned on TinyFace", False),
    _tinyface("PETALface, WebFace4M", 75.72, 78.86, "PETALface", "fine-tuned on TinyFace", False),
    _tinyface("PETALface, WebFace12M", 76.66, 79.64, "PETALface", "fine-tuned on TinyFace", False),
    _tinyface("FaceMoE, WebFace4M", 76.18, 79.69, "a digest of the paper", "whether fine-tuned is not said", False),
    _tinyface("MobileFaceNet", 55.82, 61.93, "Fraunhofer thesis 2026"),
    _tinyface("MobileFaceNet, distilled from ViT-B KP-RPE", 66.14, 70.94, "Fraunhofer thesis 2026"),
)

ROWS = (*LFW, *SCFACE, *SURVFACE, *TINYFACE)


def published_rows(benchmark: str) -> list[Published]:
    """The rows of one benchmark, those of our tool's default protocol first.

    Raises:
        ValueError: there is no such benchmark.
    """
    if benchmark not in BENCHMARKS:
        raise ValueError(f"{benchmark!r} is none of {', '.join(BENCHMARKS)}.")
    return sorted((row for row in ROWS if row.benchmark == benchmark), key=lambda row: not row.same_protocol)


def published_lines(benchmark: str, columns: Sequence[str], width: int = 10) -> list[str]:
    """The rows that have one of the columns, as lines of text: figures, then method, protocol and source.

    Args:
        columns: names of figures, in the order of our own table.
        width: width of a column.
    """
    lines = []
    for row in published_rows(benchmark):
        if any(column in row.figures for column in columns):
            figures = " ".join(
                f"{row.figures[column]:{width}.2f}" if column in row.figures else " " * width for column in columns
            )
            lines.append(f"{figures}  {row.method} ({row.marked_protocol}; {row.source})")
    return lines


def published_table(benchmark: str) -> list[str]:
    """All rows of one benchmark in Markdown; those of another protocol than ours say so."""
    lines = ["| method | per cent | protocol | read in |", "|---|---|---|---|"]
    for row in published_rows(benchmark):
        figures = ", ".join(f"{column}: {figure:g}" for column, figure in row.figures.items())
        lines.append(f"| {row.method} | {figures} | {row.marked_protocol} | {row.source} |")
    return lines
