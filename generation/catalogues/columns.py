from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generation.catalogues.formats import Format
from generation.catalogues.generic_columns import is_fact, names_no_fact
from generation.catalogues.mapping import Mapping, Role, fold_header, header_labels
from generation.catalogues.plaintext import clean_text, html_to_text
from generation.catalogues.row_problems import LONG_CELL
from generation.facts.product import AttributeValue


def _words(text: str) -> list[str]:
    return text.split()


_METAFIELD = re.compile(r"\s*\(product\.metafields\.[^()]*\)$")
_UNIT_NOTE = re.compile(r"(?P<label>.*\S)[\s_]*[(\[](?P<unit>[^()\[\]]{1,12})[)\]]")
_UNITS = frozenset(
    _words(
        "kg g mg lb lbs oz t cm mm m km in inch inches ft yd ml cl dl l fl.oz gal w kw v a mah wh kwh hz gb mb tb "
        "px min h % °c °f pt livres pouce pouces onces gramm gramme grammes"
    )
)
_NUMBER = re.compile(r"[+-]?\d[\d.,]*")
_ZERO = re.compile(r"[+-]?0*[.,]?0*")
_PACKED_PAIR = re.compile(r",(?=[^=,|]+=)")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_WOO_ESCAPE = re.compile(r"\\(\\n|n|,)")
_LIST_MARK = re.compile(r"\n|\||•")
_MAGENTO_ROOT = re.compile(r"(?:default category|root)/", re.IGNORECASE)
_SHOPIFY_LABELS = {
    "google shopping / gender": ("Gender", ""),
    "google shopping / age group": ("Age group", ""),
}
_PACKED = "additional attributes"


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    index: int
    label: str
    unit: str
    is_list: bool
    is_packed: bool


@dataclass(frozen=True, slots=True)
class OptionColumn:
    """`name_index` is None where the column's own header names the option."""

    name_index: int | None
    value_index: int
    label: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Where one file keeps what, worked out once from its header and mapping."""

    format: Format
    mapping: Mapping
    labels: tuple[str, ...]
    attributes: tuple[AttributeColumn, ...]
    options: tuple[OptionColumn, ...]
    features: tuple[int, ...]

    def cell(self, values: Sequence[str], role: Role) -> str:
        """The cell as received, "" where the file has no such column."""
        index = self.mapping.column(role)
        return values[index] if index is not None and index < len(values) else ""

    def text(self, values: Sequence[str], role: Role) -> str:
        return self.read(self.cell(values, role))

    def read(self, value: str) -> str:
        """Plain text of a cell, cut where nothing more is read for facts."""
        if not value:
            return ""
        if self.format == "woocommerce" and "\\" in value:
            value = unescape_woocommerce(value)
        return html_to_text(value[:LONG_CELL])

    def fact(self, values: Sequence[str], role: Role) -> str:
        text = self.text(values, role)
        return text if text and is_fact(text) else ""


def columns_of(header: Sequence[str], mapping: Mapping, format: Format) -> Columns:
    labels = header_labels(header)
    roles = mapping.roles[: len(labels)]
    mapping = Mapping(roles, mapping.html)
    format = "generic" if format == "none" else format
    attributes = tuple(_attribute_column(index, labels[index], format) for index in mapping.columns("attribute"))
    return Columns(
        format, mapping, tuple(labels), attributes, _option_columns(labels, mapping), mapping.columns("feature")
    )


def unescape_woocommerce(value: str) -> str:
    r"""WooCommerce writes a line break as the characters \n, those characters themselves as \\n, a comma as \,."""
    meanings = {"\\n": "\\n", "n": "\n", ",": ","}
    return _WOO_ESCAPE.sub(lambda found: meanings[found[1]], value)


def read_attributes(columns: Columns, values: Sequence[str]) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {}
    for column in columns.attributes:
        value = values[column.index] if column.index < len(values) else ""
        if not value:
            continue
        text = columns.read(value)
        if column.is_packed:
            attributes.update(_unpack(text))
        elif text and is_fact(text) and not (column.unit and _ZERO.fullmatch(text)):
            attributes.setdefault(column.label, _attribute_value(column, text))
    return attributes


def read_options(columns: Columns, values: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Option labels with this row's values. `names` stand in where a variant row leaves the option's name empty."""
    options: dict[str, str] = {}
    for column, inherited in zip(columns.options, names, strict=True):
        value = values[column.value_index].strip() if column.value_index < len(values) else ""
        name = option_name(column, values) or inherited
        if name and value and not (name.casefold() == "title" and value.casefold() == "default title"):
            options.setdefault(name, clean_text(value[:LONG_CELL]))
    return options


def option_name(column: OptionColumn, values: Sequence[str]) -> str:
    if column.name_index is None:
        return column.label
    return clean_text(values[column.name_index]) if column.name_index < len(values) else ""


def read_features(columns: Columns, values: Sequence[str]) -> list[str]:
    cells = (columns.read(values[index]) for index in columns.features if index < len(values))
    lines = (line.strip(" -*\u2013") for cell in cells for line in _LIST_MARK.split(cell))
    return [line for line in lines if line and is_fact(line)]


def read_category(columns: Columns, values: Sequence[str]) -> str:
    """The last step of the longest category path; Shopify's own product type comes first."""
    if columns.format.startswith("shopify") and (kind := columns.fact(values, "type")):
        return kind
    cell = columns.cell(values, "category")
    if not cell:
        return ""
    several = columns.format == "woocommerce" or _MAGENTO_ROOT.match(cell)
    paths = split_list(columns, cell) if several else [columns.read(cell)]
    steps = max((_steps(path) for path in paths if is_fact(path)), key=len, default=[])
    return steps[-1] if steps else ""


def split_list(columns: Columns, cell: str) -> list[str]:
    items = _UNESCAPED_COMMA.split(cell[:LONG_CELL]) if columns.format == "woocommerce" else cell[:LONG_CELL].split(",")
    return [text for item in items if (text := columns.read(item))]


def _steps(path: str) -> list[str]:
    separator = "/" if _MAGENTO_ROOT.match(path) else ">"
    return [step.strip() for step in path.split(separator) if step.strip()]


def _attribute_column(index: int, header: str, format: Format) -> AttributeColumn:
    folded = fold_header(header)
    if format.startswith("shopify") and folded in _SHOPIFY_LABELS:
        return AttributeColumn(index, *_SHOPIFY_LABELS[folded], is_list=False, is_packed=False)
    is_metafield = _METAFIELD.search(header) is not None
    label, unit = _label_and_unit(_METAFIELD.sub("", header).replace("_", " ").strip())
    return AttributeColumn(index, label, unit, is_list=is_metafield, is_packed=folded.replace("_", " ") == _PACKED)


def _label_and_unit(header: str) -> tuple[str, str]:
    noted = _UNIT_NOTE.fullmatch(header)
    if noted and noted["unit"].strip().casefold() in _UNITS:
        return noted["label"], noted["unit"].strip()
    label, _, last = header.rpartition(" ")
    return (label, last) if label and last in _UNITS and last != "in" else (header, "")


def _option_columns(labels: Sequence[str], mapping: Mapping) -> tuple[OptionColumn, ...]:
    """Names and values are paired by the number in their headers, or else by their order."""
    names = {_number(labels[index], place): index for place, index in enumerate(mapping.columns("option_name"))}
    values = ((index, _number(labels[index], place)) for place, index in enumerate(mapping.columns("option_value")))
    return tuple(OptionColumn(names.get(number), index, labels[index]) for index, number in values)


def _number(label: str, place: int) -> int:
    found = re.search(r"\d{1,3}", label)
    return int(found[0]) if found else -1 - place


def _attribute_value(column: AttributeColumn, text: str) -> AttributeValue:
    if column.unit and _NUMBER.fullmatch(text):
        return f"{text} {column.unit}"
    if column.is_list and ";" in text:
        return [item.strip() for item in text.split(";") if item.strip()]
    return text


def _unpack(cell: str) -> dict[str, AttributeValue]:
    """Magento's `size=XS,color=Black,material=Cotton|Linen`."""
    attributes: dict[str, AttributeValue] = {}
    for pair in _PACKED_PAIR.split(cell):
        label, _, value = (part.strip() for part in pair.partition("="))
        if label and value and is_fact(value) and not names_no_fact(label):
            choices = [choice.strip() for choice in value.split("|") if choice.strip()]
            attributes[label.replace("_", " ")] = choices if len(choices) > 1 else value
    return attributes
