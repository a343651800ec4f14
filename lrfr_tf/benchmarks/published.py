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

# A method in several tables.
DSN = "Lai & Lam, deep Siamese network"


@dataclasses.dataclass(frozen=True)
class Published:
    """One row of a published table.

    Attributes:
        method: method, with training set or network where known.
        protocol: what it was measured with, where tables differ in that.
        figures: name of the column -> per cent.
        source: where the figure was read.
        same_protocol: False where the protocol is not the one of our tool's default.
    """

    method: str
    protocol: str
    figures: Mapping[str, float]
    source: str
    same_protocol: bool = True

    @property
    def marked_protocol(self) -> str:
        """The protocol, marked where it is another than ours."""
        return self.protocol if self.same_protocol else f"other protocol: {self.protocol}"


def ours_first(rows: Sequence[Published]) -> list[Published]:
    """The rows, those of our tool's default protocol first."""
    return sorted(rows, key=lambda row: not row.same_protocol)


def published_lines(rows: Sequence[Published], columns: Sequence[str], width: int = 10) -> list[str]:
    """The rows that have one of the columns, as lines of text: figures, then method, protocol and source.

    Args:
        columns: names of figures, in the order of our own table.
        width: width of a column.
    """
    lines = []
    for row in ours_first(rows):
        if any(column in row.figures for column in columns):
            figures = " ".join(
                f"{row.figures[column]:{width}.2f}" if column in row.figures else " " * width for column in columns
            )
            lines.append(f"{figures}  {row.method} ({row.marked_protocol}; {row.source})")
    return lines


def published_table(rows: Sequence[Published]) -> list[str]:
    """All rows in Markdown; those of another protocol than ours say so."""
    lines = ["| method | per cent | protocol | read in |", "|---|---|---|---|"]
    for row in ours_first(rows):
        figures = ", ".join(f"{column}: {figure:g}" for column, figure in row.figures.items())
        lines.append(f"| {row.method} | {figures} | {row.marked_protocol} | {row.source} |")
    return lines
