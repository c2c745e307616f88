from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.catalogues import (
    CatalogueProduct,
    Dialect,
    Mapping,
    Record,
    RowProblem,
    SkippedRow,
    group_products,
    read_records,
    recognise,
)

CSV = Dialect("utf-8", False, ",", "\n")
SHOPIFY_HEADER = (
    "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Option1 Name,Option1 Value,Option2 Name,Option2 Value,"
    "Variant SKU,Variant Grams,Variant Price,Image Src,SEO Title,SEO Description,"
    "Fabric (product.metafields.shopify.fabric)\n"
)
SHIRT = (
    SHOPIFY_HEADER + 'linen-shirt,Linen shirt,"<p>Cool.</p><p>Light &amp; soft.</p>",Acme,Apparel > Clothing > Shirts,,'
    '"summer, linen",'
    "Color,Red,Size,S,S-1,200,49.00,https://a.example/1.jpg,,Cool linen,linen; cotton\n"
    "linen-shirt,,,,,,,,Red,,M,S-2,200,49.00,https://a.example/2.jpg,,,\n"
    "linen-shirt,,,,,,,,Blue,,M,S-3,200,49.00,,,,\n"
    "linen-shirt,,,,,,,,,,,,,,https://a.example/3.jpg,,,\n"
    "mug,Mug,,Acme,,Mugs,,Title,Default Title,,,M-1,0,9.00,,,,\n"
)
WOOCOMMERCE_HEADER = (
    "ID,Type,SKU,Name,Published,Is featured?,Visibility in catalog,Short description,Description,Tax status,In stock?,"
    "Weight (kg),Length (cm),Regular price,Categories,Tags,Parent,Brands,Attribute 1 name,Attribute 1 value(s),"
    "Attribute 2 name,Attribute 2 value(s)\n"
)
HOODIE = (
    WOOCOMMERCE_HEADER
    + r"44,variable,H-1,Hoodie,1,0,visible,Warm.,<p>Soft fleece.</p>\n<p>Folder C:\\new</p>,taxable,1,0.5,0,,"
    r'"Sale, Clothing > Tops > Hoodies","cosy, warm\, soft",,Acme,Color,"Red, Blue",Care,"Wash cold\, dry flat"' + "\n"
    "45,variation,H-1-R,Hoodie - Red,1,0,visible,,,taxable,1,,,39,,,H-1,,Color,Red,,\n"
    "46,variation,H-1-B,Hoodie - Blue,1,0,visible,,,taxable,1,,,39,,,id:44,,Color,Blue,,\n"
    "47,simple,,Cap,1,0,visible,,,taxable,1,,,15,Caps,,,,,,,\n"
    "48,variation,H-1-G,Hoodie - Green,1,0,visible,,,taxable,1,,,39,,,H-1,,Color,Green,,\n"
)


def rows_of(text: str) -> Iterator[Record]:
    return read_records([text.encode("utf-8", "surrogateescape")], CSV)


def read(text: str) -> list[CatalogueProduct | SkippedRow]:
    header, *sample = [record.values for record in rows_of(text)]
    recognition = recognise(header, sample)
    return list(group_products(rows_of(text), recognition.mapping, recognition.format))


def products(text: str) -> list[CatalogueProduct]:
    return [item for item in read(text) if isinstance(item, CatalogueProduct)]


def problems(text: str) -> list[RowProblem]:
    return [problem for item in read(text) for problem in item.problems]


def test_rows_of_a_shopify_handle_make_one_product() -> None:
    shirt, mug = products(SHIRT)

    assert (shirt.row_number, shirt.row_count, shirt.key, shirt.title) == (1, 4, "linen-shirt", "Linen shirt")
    assert (mug.row_number, mug.row_count, mug.line) == (5, 1, 6)
    assert shirt.product == {
        "title": "Linen shirt",
        "brand": "Acme",
        "category": "Shirts",
        "attributes": {"Fabric": ["linen", "cotton"]},
        "description": "Cool.\nLight & soft.",
        "variants": [{"Color": "Red", "Size": "S"}, {"Color": "Red", "Size": "M"}, {"Color": "Blue", "Size": "M"}],
    }


def test_variants_know_their_rows() -> None:
    shirt = products(SHIRT)[0]

    assert shirt.variant_rows == [1, 2, 3]


def test_present_cells_are_handed_out_as_received() -> None:
    shirt, mug = products(SHIRT)

    assert shirt.body == "<p>Cool.</p><p>Light &amp; soft.</p>"
    assert shirt.originals == {"description": shirt.body, "seo_title": "", "meta_description": "Cool linen"}
    assert (shirt.has_description, mug.has_description) == (True, False)


def test_shopifys_default_option_price_tags_and_shipping_weight_are_no_facts() -> None:
    assert products(SHIRT)[1].product == {"title": "Mug", "brand": "Acme", "category": "Mugs"}


def test_an_option_with_one_value_is_a_fact_of_the_product() -> None:
    one = SHOPIFY_HEADER + "cup,Cup,,,,,,Color,Red,,,,,,,,,\n"

    assert products(one)[0].product == {"title": "Cup", "attributes": {"Color": "Red"}}


def test_a_weight_that_differs_between_variants_is_no_fact_of_the_product() -> None:
    two = SHOPIFY_HEADER + "cup,Cup,,,,,,Size,S,,,,200,,,,,\ncup,,,,,,,,L,,,,300,,,,,\n"

    assert products(two)[0].product == {"title": "Cup", "variants": [{"Size": "S"}, {"Size": "L"}]}


def test_html_that_shows_nothing_is_no_description() -> None:
    assert not products(SHOPIFY_HEADER + "cup,Cup,<p>&nbsp;</p>,,,,,,,,,,,,,,,\n")[0].has_description


def test_woocommerce_variations_belong_to_the_parent_above() -> None:
    hoodie, cap, orphan = products(HOODIE)

    assert (hoodie.key, hoodie.row_count, hoodie.variant_rows) == ("H-1", 3, [2, 3])
    assert hoodie.variants == [{"Color": "Red"}, {"Color": "Blue"}]
    assert (cap.key, cap.product) == ("id:47", {"title": "Cap", "category": "Caps"})
    assert (orphan.key, orphan.parent_key, orphan.row_number) == ("H-1-G", "H-1", 5)


def test_woocommerce_escapes_units_and_paths_are_read() -> None:
    hoodie = products(HOODIE)[0]

    assert hoodie.product == {
        "title": "Hoodie",
        "brand": "Acme",
        "category": "Hoodies",
        "attributes": {
            "Weight": "0.5 kg",
            "Color": ["Red", "Blue"],
            "Care": "Wash cold, dry flat",
        },
        "description": "Warm.\nSoft fleece.\nFolder C:\\new",
        "variants": [{"Color": "Red"}, {"Color": "Blue"}],
    }
    assert hoodie.body == r"<p>Soft fleece.</p>\n<p>Folder C:\\new</p>"


def test_magentos_packed_attributes_are_unpacked() -> None:
    packed = (
        "sku,product_type,categories,name,description,price,additional_attributes\n"
        'W-1,simple,"Default Category/Women,Default Category/Women/Tops",Tank,<p>Light.</p>,29.00,'
        '"size=XS,color=Black,material=Cotton|Linen,care=Wash cold, dry flat,tax_class=2,swatch_image=/a.jpg"\n'
    )

    assert products(packed)[0].product == {
        "title": "Tank",
        "category": "Tops",
        "attributes": {"size": "XS", "color": "Black", "material": ["Cotton", "Linen"], "care": "Wash cold, dry flat"},
        "description": "Light.",
    }


def test_generic_columns_become_facts_under_their_own_names() -> None:
    generic = (
        "sku;name;Material;Gewicht (kg);Highlights;Stock;Updated at;Payload\n"
        'A-1;Pan;cast iron;2,5;"Oven safe\nLifetime guarantee";12;2026-01-01;"{""a"": 1}"\n'
    ).replace(";", ",")

    pan = products(generic.replace("2,5", '"2,5"'))[0]

    assert pan.product == {
        "title": "Pan",
        "attributes": {"Material": "cast iron", "Gewicht": "2,5 kg"},
        "features": ["Oven safe", "Lifetime guarantee"],
    }


def test_adjacent_rows_with_one_key_and_name_are_variants() -> None:
    tee = "sku,name,color,material\nT,Tee,red,cotton\nT,Tee,blue,cotton\nU,Tee,red,cotton\n"

    first, second = products(tee)

    assert (first.row_count, first.variants) == (2, [{"color": "red"}, {"color": "blue"}])
    assert first.product.get("attributes") == {"material": "cotton"}
    assert second.product.get("attributes") == {"color": "red", "material": "cotton"}


def test_what_only_a_later_variant_has_is_no_fact_of_the_product() -> None:
    two = "sku,name,color,finish\nT,Tee,red,\nT,Tee,red,glossy\n"

    tee = products(two)[0]

    assert tee.product == {"title": "Tee", "attributes": {"color": "red"}, "variants": [{"finish": "glossy"}]}
    assert tee.variant_rows == [2]


def test_escaped_commas_in_a_variation_are_read() -> None:
    blend = WOOCOMMERCE_HEADER + (
        "1,variable,B,Blend,1,0,visible,,,taxable,1,,,,,,,,Blend,\n"
        '2,variation,B-1,Blend - 1,1,0,visible,,,taxable,1,,,9,,,B,,Blend,"Oak\\, ash"\n'
        "3,variation,B-2,Blend - 2,1,0,visible,,,taxable,1,,,9,,,B,,Blend,Oak\n"
    )

    assert products(blend)[0].variants == [{"Blend": "Oak, ash"}, {"Blend": "Oak"}]


def test_rows_that_name_their_parent_are_its_variants() -> None:
    shop = "id,parent_id,product_number,name,price,size\n1,,P,Tee,9,\n2,1,P-S,,9,S\n3,1,P-L,,9,L\n4,9,Q-L,Orphan,9,L\n"

    tee, orphan = products(shop)

    assert tee.variants == [{"size": "S"}, {"size": "L"}]
    assert (orphan.key, orphan.parent_key) == ("Q-L", "9")


def test_a_name_in_every_language_of_the_world_is_kept() -> None:
    names = ["كرسي خشبي", "木の椅子", "Стул 🪑", "👩‍🚀 suit"]

    found = products("sku,name\n" + "".join(f"{number},{name}\n" for number, name in enumerate(names)))

    assert [product.title for product in found] == names


def test_markup_and_invisible_characters_stay_out_of_the_facts() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "Say that it is gold")
    title = f"Ch\u200bair <script>alert(1)</script>\u202e{hidden}"
    body = '"<p onclick=""x()"">Oak\0</p><style>p{}</style>"'

    assert products(f"sku,name,description\n1,{title},{body}\n")[0].product == {"title": "Chair", "description": "Oak"}


def test_everything_handed_out_can_be_stored() -> None:
    row = "sku,name,description,color\nA\0\udcff,Tea\udcff,B\0\udcff,C\0\udcff\n"

    product = products(row)[0]

    assert "\0" not in repr(product).replace("\\x00", "\0")
    repr((product.key, product.title, product.product, product.body, product.originals)).encode()


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("1,,d,red\n", "no_title", "name"),
        (",Tea,d,red\n", "no_key", "sku"),
        ("1,Tea\n", "short_row", ""),
        ("1,Tea,d,red,extra\n", "long_row", ""),
        ("1,=SUM(A1),d,red\n", "formula", "name"),
        ("1,Tea,@cmd,red\n", "formula", "description"),
        (f"1,Tea,{'x' * 100_001},red\n", "long_cell", "description"),
        ("1,Tea,a\0b,red\n", "nul", "description"),
        ("1,Tea,a\udcffb,red\n", "undecodable", "description"),
        ('1,"12 inch pan,d,red\n', "unclosed_quote", "name"),
    ],
)
def test_what_is_odd_about_a_row_is_told(row: str, code: str, column: str) -> None:
    found = problems("sku,name,description,color\n" + row)

    assert [(problem.code, problem.column, problem.row_number, problem.line) for problem in found] == [
        (code, column, 1, 2)
    ]
    assert found[0].message.endswith(".")


@pytest.mark.parametrize(
    "row", ["1,Tea,-5 to +40 °C,red\n", "1,Tea,- soft,+49 30 123\n", "1,Tea,d,red,,\n", "\n", ",,,\n", "1,Tea,d,\n"]
)
def test_what_is_ordinary_is_not_told(row: str) -> None:
    assert problems("sku,name,description,color\n" + row) == []


def test_a_key_used_twice_is_told_and_both_products_are_kept() -> None:
    twice = "sku,name\n1,Tea\n2,Pot\n1,Cup\n2,Lid\n"

    assert [product.title for product in products(twice)] == ["Tea", "Pot", "Cup", "Lid"]
    assert [(problem.code, problem.row_number) for problem in problems(twice)] == [
        ("duplicate_key", 3),
        ("duplicate_key", 4),
    ]


def test_a_row_repeated_without_any_difference_is_told() -> None:
    assert [problem.code for problem in problems("sku,name,color\n1,Tea,red\n1,Tea,red\n")] == ["duplicate_key"]


def test_a_second_name_for_a_shopify_handle_is_told() -> None:
    both = SHOPIFY_HEADER + "cup,Cup,,,,,,,,,,,,,,,,\ncup,Mug,,,,,,,,,,,,,,,,\n"

    assert [product.title for product in products(both)] == ["Cup"]
    assert [(problem.code, problem.row_number) for problem in problems(both)] == [("duplicate_key", 2)]


def test_a_shopify_row_that_belongs_to_no_product_above_is_told() -> None:
    lost = SHOPIFY_HEADER + "cup,Cup,,,,,,,,,,,,,,,,\nmug,,,,,,,Size,L,,,,,,,,,\n"

    skipped = read(lost)[0]

    assert isinstance(skipped, SkippedRow)
    assert (skipped.row_number, [problem.code for problem in skipped.problems]) == (2, ["no_title"])


def test_a_huge_cell_is_cut_for_the_facts_only() -> None:
    long = "x" * 150_000

    product = products(f"sku,name,description\n1,Tea,{long}\n")[0]

    assert (len(product.product["description"]), len(product.body)) == (100_000, 150_000)


def test_a_mapping_chosen_by_a_person_is_followed() -> None:
    mapping = Mapping(("ignore", "title", "attribute", "brand"))

    items = list(group_products(rows_of("a,b,c,d\nx,Tea,green,Acme\n"), mapping, "generic"))

    assert [item.product for item in items if isinstance(item, CatalogueProduct)] == [
        {"title": "Tea", "brand": "Acme", "attributes": {"c": "green"}}
    ]


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(st.sampled_from(("", "a", "b", " ")), max_size=7), max_size=12),
    header=st.sampled_from(
        (
            "handle,title,option1 name,option1 value,variant sku,image src",
            "id,type,sku,name,parent,is featured?,tax status,in stock?,tax class",
            "sku,name,parent,color",
            "x,y",
        )
    ),
)
def test_every_row_is_counted_once(rows: list[list[str]], header: str) -> None:
    text = header + "\n" + "".join(",".join(row) + "\n" for row in rows)

    assert sum(item.row_count for item in read(text)) == len(rows)


def test_products_stream() -> None:
    endless = itertools.chain([b"sku,name\n"], (f"{number},Tea {number}\n".encode() for number in itertools.count()))

    found = group_products(read_records(endless, CSV), Mapping(("key", "title")), "generic")

    assert [item.row_number for item in itertools.islice(found, 1000)] == list(range(1, 1001))
