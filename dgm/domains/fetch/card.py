"""A data set's card: what it is, where it comes from, what is known of it. One TOML file in a domain's `cards/`."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from dgm import toml


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Part(_Strict):
    """One file to be fetched."""

    address: str = Field(description="Where it is, pinned to one version; http or https.")
    path: str = Field(description="Where it goes below the folder of the data set.")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="None: not known when the card was written."
    )
    unpack: tuple[str, ...] = Field(
        (), description="For a tar archive: the folders or files to take, below its single top folder."
    )
    columns: tuple[str, ...] = Field(
        (), description="For a Parquet table: the columns that become JSON lines in the card's `load`."
    )


class Card(_Strict):
    """Every figure is from the source named, or measured; what is not known is said to be so."""

    name: str
    licence: str
    licence_from: str = Field(description="Where the licence was read; `not read: …` where it is not confirmed.")
    home: str = Field(description="Page of the data set, for people.")
    about: str
    rows: str = Field(description="How many, of what.")
    labels: str = Field(description="Histogram of the labels or points; `none` where a task has no label.")
    leaks: str = Field(description="What is known to tell the answer, and what is done about it.")
    baselines: str = Field(description="What simple means reach.")
    published: str = Field(description="What published agents reach.")
    load: str = Field(description="What --data is given, below the folder: a file, or . for the folder itself.")
    parts: tuple[Part, ...] = Field(min_length=1)


def cards(folder: Path) -> dict[str, Card]:
    """The cards of a domain's folder by name. Raises UserError for one that is no card."""
    return {path.stem: read(path) for path in sorted(folder.glob("cards/*.toml"))}


def read(path: Path) -> Card:
    """One card. Raises UserError naming the key that is wrong."""
    return toml.parse(Card, path.read_bytes(), path)
