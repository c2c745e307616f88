from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from generation.catalogues.columns import (
    Columns,
    columns_of,
    option_name,
    read_attributes,
    read_category,
    read_features,
    read_options,
    split_list,
    unescape_woocommerce,
)
from generation.catalogues.formats import Format
from generation.catalogues.mapping import WRITTEN_ROLES, Mapping, Role
from generation.catalogues.plaintext import clean_text, storable
from generation.catalogues.row_problems import RowProblem, check_row, row_problem
from generation.catalogues.rows import Record
from generation.facts.product import AttributeValue, ProductInput

MAX_KEY = 255
MAX_GROUP_ROWS = 5_000
_KEY_ROLES: tuple[Role, ...] = ("key", "sku", "id")


@dataclass(frozen=True, slots=True)
class CatalogueProduct:
    """One product with all its rows. `row_number` is the row whose cells we write.

    `variants[i]` stands in row `variant_rows[i]`. `parent_key` is set for a variation that does not follow its parent.
    `originals` holds, as received, the present cells of the roles we may write, for the columns the file has.
    """

    row_number: int
    line: int
    row_count: int
    key: str
    title: str
    product: ProductInput
    body: str
    has_description: bool
    originals: dict[str, str]
    variants: list[dict[str, str]]
    variant_rows: list[int]
    parent_key: str
    problems: list[RowProblem]


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that is no product and belongs to none: blank (no problems), or with the reasons in `problems`."""

    row_number: int
    line: int
    problems: list[RowProblem]
    row_count: int = 1


def group_products(
    records: Iterable[Record], mapping: Mapping, format: Format
) -> Iterator[CatalogueProduct | SkippedRow]:
    """Products in file order, each with the rows that follow and belong to it. `records` start with the header.

    Every data row is in exactly one `row_count` of what is yielded.
    """
    source = iter(records)
    header = next((record for record in source if record.number == 0), None)
    if header is not None:
        yield from _Grouping(columns_of(header.values, mapping, format)).run(source)


@dataclass(slots=True)
class _Row:
    record: Record
    values: list[str]
    key: str
    title: str
    parent: str
    is_variation: bool
    problems: list[RowProblem]


@dataclass(slots=True)
class _Group:
    lead: _Row
    names: frozenset[str]
    option_names: list[str]
    attributes: dict[str, AttributeValue]
    options: list[dict[str, str]] = field(default_factory=list)
    option_rows: list[int] = field(default_factory=list)
    differing: set[str] = field(default_factory=set)
    row_count: int = 1


class _Grouping:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._is_shopify = columns.format.startswith("shopify")
        self._key_roles = _KEY_ROLES[:1] if self._is_shopify else _KEY_ROLES
        self._has_keys = bool(columns.mapping.columns(*self._key_roles))
        self._seen: set[int] = set()

    def run(self, records: Iterable[Record]) -> Iterator[CatalogueProduct | SkippedRow]:
        group: _Group | None = None
        for record in records:
            if record.is_blank:
                yield SkippedRow(record.number, record.line, [])
                continue
            row = self._row(record)
            if group is not None and self._belongs(row, group):
                self._add(row, group)
            elif not row.title:
                yield self._skip(row)
            else:
                if group is not None:
                    yield self._product(group)
                group = self._start(row)
        if group is not None:
            yield self._product(group)

    def _row(self, record: Record) -> _Row:
        values = record.values
        columns = self._columns
        title = " ".join(columns.text(values, "title").split())
        parent = clean_text(columns.cell(values, "parent"))
        is_variation = columns.format == "woocommerce" and "variation" in columns.cell(values, "type").casefold()
        problems = check_row(record, values, columns.labels)
        return _Row(record, values, self._key(values), title, parent, is_variation, problems)

    def _key(self, values: list[str]) -> str:
        for role in self._key_roles:
            if key := clean_text(self._columns.cell(values, role)):
                is_number = role == "id" and self._columns.format == "woocommerce"
                return (f"id:{key}" if is_number else key)[:MAX_KEY]
        return ""

    def _belongs(self, row: _Row, group: _Group) -> bool:
        if group.row_count >= MAX_GROUP_ROWS:
            return False
        if row.parent:
            return row.parent in group.names
        if row.is_variation:
            return True
        if self._is_shopify:
            return row.key == group.lead.key if row.key else not row.title
        same_key = self._columns.format == "generic" and row.key and row.key == group.lead.key
        return bool(same_key) and row.title in ("", group.lead.title)

    def _skip(self, row: _Row) -> SkippedRow:
        message = "The row has no product name and does not belong to the product above, so it was left out."
        problem = row_problem(row.record, "no_title", message, self._label("title"))
        return SkippedRow(row.record.number, row.record.line, [problem, *row.problems])

    def _start(self, row: _Row) -> _Group:
        columns, values = self._columns, row.values
        self._check_key(row)
        own = clean_text(columns.cell(values, "id"))
        names = {row.key, own, f"id:{own}", clean_text(columns.cell(values, "sku"))} - {"", "id:"}
        option_names = [option_name(column, values) for column in columns.options]
        group = _Group(row, frozenset(names), option_names, read_attributes(columns, values))
        options = self._options(row, group)
        if columns.format == "woocommerce":
            for label, value in options.items():
                choices = split_list(columns, value)
                group.attributes.setdefault(label, choices if len(choices) > 1 else "".join(choices))
        elif options:
            group.options.append(options)
            group.option_rows.append(row.record.number)
        return group

    def _add(self, row: _Row, group: _Group) -> None:
        group.row_count += 1
        self._check_repetition(row, group)
        group.lead.problems += row.problems
        for label, value in read_attributes(self._columns, row.values).items():
            if label in group.attributes and group.attributes[label] != value:
                group.differing.add(label)
        if options := self._options(row, group):
            if self._columns.format == "woocommerce":
                options = {label: unescape_woocommerce(value) for label, value in options.items()}
            group.options.append(options)
            group.option_rows.append(row.record.number)

    def _options(self, row: _Row, group: _Group) -> dict[str, str]:
        """What may tell this row from its siblings. In a file without option columns that is every attribute."""
        options = read_options(self._columns, row.values, group.option_names)
        if self._columns.format != "generic":
            return options
        attributes = read_attributes(self._columns, row.values)
        return {label: value for label, value in attributes.items() if isinstance(value, str)} | options

    def _check_key(self, row: _Row) -> None:
        if not row.key:
            if self._has_keys:
                message = "The row has no SKU or handle; the product is known by its row number."
                row.problems.append(row_problem(row.record, "no_key", message, self._label(*self._key_roles)))
            return
        digest = hash(row.key)
        if digest in self._seen:
            message = f"{row.key} already names an earlier product; both were imported."
            row.problems.append(row_problem(row.record, "duplicate_key", message, self._label(*self._key_roles)))
        self._seen.add(digest)

    def _check_repetition(self, row: _Row, group: _Group) -> None:
        if self._is_shopify and row.title not in ("", group.lead.title):
            message = f"{row.key} is the product above, but the name differs; the name above counts."
            row.problems.append(row_problem(row.record, "duplicate_key", message, self._label("key")))
        if self._columns.format == "generic" and not row.parent and self._options(row, group) in group.options:
            message = f"{row.key} repeats the product above without any difference in its options."
            row.problems.append(row_problem(row.record, "duplicate_key", message, self._label(*self._key_roles)))

    def _label(self, *roles: Role) -> str:
        columns = self._columns.mapping.columns(*roles)
        return self._columns.labels[columns[0]] if columns else ""

    def _product(self, group: _Group) -> CatalogueProduct:
        row, columns = group.lead, self._columns
        body = storable(columns.cell(row.values, "description"))
        variants, variant_rows = _settle_options(group)
        product = _product_input(columns, row, group.attributes, variants)
        return CatalogueProduct(
            row_number=row.record.number,
            line=row.record.line,
            row_count=group.row_count,
            key=row.key,
            title=row.title,
            product=product,
            body=body,
            has_description=bool(columns.text(row.values, "description")),
            originals={
                role: storable(columns.cell(row.values, role))
                for role in WRITTEN_ROLES
                if columns.mapping.column(role) is not None
            },
            variants=variants,
            variant_rows=variant_rows,
            parent_key=row.parent if row.is_variation or row.parent not in group.names else "",
            problems=row.problems,
        )


def _settle_options(group: _Group) -> tuple[list[dict[str, str]], list[int]]:
    """Options that differ between rows make the variants; what the first row says and none contradicts is a fact."""
    values: dict[str, set[str]] = {}
    for options in group.options:
        for label, value in options.items():
            values.setdefault(label, set()).add(value)
    varying = {label for label, seen in values.items() if len(seen) > 1 or label not in group.options[0]}
    for label, seen in values.items():
        if label not in varying:
            group.attributes.setdefault(label, *seen)
    for label in varying | group.differing:
        if not isinstance(group.attributes.get(label), list):
            group.attributes.pop(label, None)
    variants = [{label: value for label, value in options.items() if label in varying} for options in group.options]
    kept = [place for place, variant in enumerate(variants) if variant]
    return [variants[place] for place in kept], [group.option_rows[place] for place in kept]


def _product_input(
    columns: Columns, row: _Row, attributes: dict[str, AttributeValue], variants: list[dict[str, str]]
) -> ProductInput:
    """Only what is known; prices, stock, tax, shipping and pictures are not facts for a text."""
    product: ProductInput = {"title": row.title}
    texts = (columns.text(row.values, "short_description"), columns.text(row.values, "description"))
    if brand := columns.fact(row.values, "brand"):
        product["brand"] = brand
    if category := read_category(columns, row.values):
        product["category"] = category
    if attributes:
        product["attributes"] = attributes
    if features := read_features(columns, row.values):
        product["features"] = features
    if description := "\n".join(dict.fromkeys(text for text in texts if text)):
        product["description"] = description
    if variants:
        product["variants"] = variants
    return product
