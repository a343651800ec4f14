"""What a check of a gallery found, as JSON and as lines of text."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from lrfr_tf.gallery.check_figures import HeightBand, Pair, PersonFigures, RateFigures, SmallCost, Strangers
from lrfr_tf.plural import counted

LEAST_PERSONS = 30  # with fewer, comparisons of different persons are too few to say anything
NAMED = 20  # persons and references are named up to so many in text


@dataclasses.dataclass(frozen=True)
class Report:
    """What `lrfr_tf.gallery.check.check` found.

    Attributes:
        persons, references, active: how many there are; persons without a reference in force count.
        threshold: `Threshold.as_json`, and "in_words"; None: nobody knows one.
        people: everybody, those who are recognized worst first.
        pairs: the most alike persons, most alike first.
        set_aside: (id, name, reason) of references that are not in force.
        single, without: names of persons with one reference in force, and with none.
        strangers: None where there are fewer than `LEAST_PERSONS` persons or no threshold.
        rates: what stricter and laxer rates would give, strictest first; none where there is no calibration.
        person_ids: of each name, in a stored gallery.
    """

    persons: int
    references: int
    active: int
    threshold: dict[str, Any] | None
    people: tuple[PersonFigures, ...]
    pairs: tuple[Pair, ...]
    set_aside: tuple[tuple[str, str, str], ...]
    single: tuple[str, ...]
    without: tuple[str, ...]
    bands: tuple[HeightBand, ...]
    small_cost: SmallCost | None
    strangers: Strangers | None
    rates: tuple[RateFigures, ...] = ()
    person_ids: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def tested(self) -> int:
        return sum(person.tested for person in self.people)

    @property
    def recognized(self) -> int:
        return sum(person.recognized for person in self.people)

    @property
    def wrong(self) -> int:
        return sum(person.wrong for person in self.people)

    def as_json(self) -> dict[str, Any]:
        """Everything, as numbers, texts, lists and dictionaries."""
        value = dataclasses.asdict(self)
        ids = value.pop("person_ids")
        value["set_aside"] = [dict(zip(("id", "name", "reason"), row, strict=True)) for row in self.set_aside]
        value |= {"tested": self.tested, "recognized": self.recognized, "wrong": self.wrong}
        if self.strangers is not None:
            value["strangers"] |= {"share": self.strangers.share, "warns": self.strangers.warns}
        value["strangers_in_words"] = self.strangers_in_words()
        if ids:
            for row in (*value["people"], *value["set_aside"]):
                row["person"] = ids.get(row["name"])
            for row in value["people"]:
                row["taken_for_person"] = ids.get(row["taken_for"])
            for row in value["pairs"]:
                row |= {"first_person": ids.get(row["first"]), "second_person": ids.get(row["second"])}
        return value

    def lines(self) -> list[str]:
        """The same for people, in plain text."""
        lines = [
            f"{counted(self.persons, 'person')}, {counted(self.references, 'reference')}, "
            f"{self.references - self.active:,} set aside.",
            self.threshold["in_words"] if self.threshold else "No threshold is known, so nobody is named.",
            "",
            self.recognition_in_words(),
        ]
        lines += [self.person_in_words(person) for person in self.troubled()[:NAMED]]
        lines += _more(len(self.troubled()))
        lines += ["", "The most alike persons (score of the nearest reference; * reaches the threshold):"]
        lines += [
            f"  {pair.score:.3f}{'*' if pair.reaches else ' '} {pair.first} - {pair.second}" for pair in self.pairs
        ]
        lines += [
            "",
            self.strangers_in_words(),
            "",
            "References by face height, each against the others of its person:",
        ]
        lines += ["  " + band_in_words(band) for band in self.bands]
        lines += [self.small_cost_in_words()]
        if self.single:
            lines += ["", f"Persons with one reference, who cannot be tested: {_listed(self.single)}."]
        if self.without:
            lines += ["", f"Persons without a reference in force, who are never named: {_listed(self.without)}."]
        if self.set_aside:
            lines += ["", "References set aside:"]
            lines += [f"  {name}, {id_}: {reason}" for id_, name, reason in self.set_aside[:NAMED]]
            lines += _more(len(self.set_aside))
        return lines

    def troubled(self) -> list[PersonFigures]:
        """Those of whom a reference is not recognized."""
        return [person for person in self.people if person.recognized < person.tested]

    def recognition_in_words(self) -> str:
        """How many references are recognized by the others of their person."""
        if not self.tested:
            return "No person has two references in force, so recognition cannot be tested."
        if self.threshold is None:
            return (
                f"Without a threshold nobody is named; {counted(self.tested, 'reference')} can be compared with "
                "another one of the same person."
            )
        missed = self.tested - self.recognized - self.wrong
        return (
            f"Each reference against the others of its person: {self.recognized:,} of {self.tested:,} recognized "
            f"({self.recognized / self.tested:.1%}), {self.wrong:,} with another's name, {missed:,} without a name."
        )

    def person_in_words(self, person: PersonFigures) -> str:
        """One person's figures in a line."""
        instead = f", {person.wrong} taken for another ({person.taken_for})" if person.wrong else ""
        return f"  {person.name}: {person.recognized} of {person.tested} recognized{instead}"

    def strangers_in_words(self) -> str:
        """Whether the gallery's own people are more alike than the calibration's, in one paragraph."""
        persons = self.persons - len(self.without)
        if persons < LEAST_PERSONS:
            return (
                f"Whether these people are more alike than those of the calibration cannot be told: "
                f"{counted(persons, 'person is', 'persons are')} fewer than {LEAST_PERSONS}."
            )
        found = self.strangers
        if found is None:
            return (
                "Whether these people are more alike than those of the calibration cannot be told without a threshold."
            )
        text = (
            f"Of {counted(found.comparisons, 'comparison')} of different persons "
            f"{counted(found.reached, 'reaches', 'reach')} the threshold "
            f"({found.share:.4%}; {counted(found.persons, 'person is', 'persons are')} in them)"
        )
        if found.stated is None:
            return f"{text}; nobody stated a rate for this threshold."
        text += f"; the calibration states {found.stated:.4%}, {found.stated * found.comparisons:,.1f} of them."
        if not found.warns:
            return text
        return (
            f"{text} WARNING: that is {found.share / found.stated:.1f} times as many. Some of these people are more "
            "alike than those of the calibration, as families, one age or one origin are, so wrong names are more "
            f"frequent than stated: {found.would_be_named:.1%} of the references would get another's name if their own "
            "person were not enrolled. Ask for a lower rate, or for a higher threshold."
        )

    def small_cost_in_words(self) -> str:
        """What small references do to the templates."""
        cost = self.small_cost
        if cost is None:
            return "No person has both small and large references, so what small ones cost cannot be told."
        return (
            f"Where a person has both, small references in the template move the mean score of "
            f"{counted(cost.compared, 'large one')} from {cost.similarity_without:.3f} to {cost.similarity_with:.3f}; "
            f"recognized are {cost.without_small:,} without and {cost.with_small:,} with them."
        )


def band_in_words(band: HeightBand) -> str:
    """One height band in a line."""
    name = f"{band.least:.0f} px and more" if band.most is None else f"{band.least:.0f} to below {band.most:.0f} px"
    if not band.tested or band.similarity is None:
        return f"{name}: {counted(band.references, 'reference')}, none can be tested"
    return (
        f"{name}: {counted(band.references, 'reference')}, {band.recognized / band.tested:.1%} of {band.tested:,} "
        f"recognized, median score {band.similarity:.3f}"
    )


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _more(count: int) -> list[str]:
    return [f"  and {count - NAMED:,} more"] if count > NAMED else []
