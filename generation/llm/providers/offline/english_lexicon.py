"""English words that the grammar needs to know by name."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# They keep their capital inside a sentence.
PROPER = _words("""
    african alpine american arabian argentine australian austrian belgian brazilian british bulgarian canadian
    chinese colombian croatian czech danish dutch egyptian english ethiopian european finnish french german
    greek icelandic indian indonesian irish italian japanese kenyan korean mexican moroccan nepalese nordic
    norwegian peruvian polish portuguese romanian scandinavian scottish slovenian spanish swedish swiss thai
    turkish ukrainian vietnamese welsh monday tuesday wednesday thursday friday saturday sunday january february
    april june july august september october november december bluetooth cordura dyneema kevlar lycra pima
    teflon tencel velcro vibram yves
""")

# The last word of what a product can be made of.
MATERIALS = _words("""
    acacia acetate acrylic alpaca aluminium aluminum angora ash bamboo bamboo-viscose beech beechwood beeswax
    birch brass bronze calfskin canvas cardboard carbon cashmere cedar ceramic ceramics cherry chiffon clay
    concrete copper cordura cork corduroy cotton cowhide crystal denim down elastane elm eucalyptus felt
    fiberglass fibreglass flannel flax fleece foam glass goatskin gold granite hemp hickory iron jersey jute
    lambskin lambswool latex leather linen lycra lyocell mahogany mango maple marble melamine mesh merino
    microfiber microfibre mdf modal mohair muslin neoprene nylon oak olive paper pine plastic plywood polyamide
    polycarbonate polyester polyethylene polypropylene polyurethane porcelain pu pvc rattan rayon rope rubber
    satin seagrass sheepskin shell silicone silk silver slate soapstone spandex spruce steel sterling stone
    stoneware straw suede tencel terracotta terry tin titanium tpu tweed twill velvet vinyl viscose walnut wax
    wicker willow wood wool zinc
""")

# What the parts of products are called; these take an article.
COUNTABLE = _words("""
    adapter back backrest bag band bar base basket battery belt bib blade board bottle bowl box brush buckle
    button cable cap case chain charger clasp clip closure collar compartment cord core cover cuff cup cushion
    dial dimmer display divider door drawcord drawer drawstring edge element eraser eyelet fastener filter flap
    footbox frame front grip groove handle hanger harness hem hinge holder holster hood hook igniter indicator
    inlay insert insole joint key kickstand knob label lamp lens lid light liner lining lock loop magnet mark
    mechanism mirror mode motor mount needle neck neckline net nozzle opening outsole pad panel pattern peg pen
    pin plate platform plug pocket pouch pump rack rail rim ring roll ruler scale screen screw seal seam seat
    sensor set shade sheath shelf shell shoulder skirt sleeve slot sole speaker spout spring stand stitch
    stopper strap string surface switch tab table tag tank thermometer timer tin tip toe tool top torch tray
    trim tube valve vent waist waistband wheel whistle window wire yoke zip zipper
""")
UNCOUNTABLE = _words("""
    binding boning charging coating connectivity cushioning edging elastic embroidery fabric filling hardware
    insulation lacing lighting padding piping protection stitching storage suspension trimming ventilation
    webbing wiring
""")
NO_COLOR = _words("assorted clear mixed multi multicolor multicolour natural various")
NO_NOUN = _words("not for from up can is without")
DETERMINERS = _words("a an the no several one two three four five six seven eight nine ten twelve")

# Third person -> plural.
VERBS = {
    f"{verb}s": verb
    for verb in _words("""
        absorb adapt adjust attach begin block boil brew burn charge clean clip close come connect contain
        convert cook cool cover cut dissolve drain expand extend fasten feature feel filter fit float fold
        freeze glow grind hang heat help hide hold hook include insulate keep last lather leave let lie lift
        lock make measure melt mount need offer open pack play pour prevent protect provide pull push recline
        reduce reflect release remain repel require resist rest roll rotate run seal seat secure serve set show
        shut sit sleep slide snap spin spray spread stack start stay stick stir stop store strain suit support
        swivel take tell tie tilt turn use wear weigh withstand work wrap write zip
    """)
} | {
    "can": "can",
    "carries": "carry",
    "does": "do",
    "dries": "dry",
    "has": "have",
    "attaches": "attach",
    "latches": "latch",
    "matches": "match",
    "reaches": "reach",
    "stretches": "stretch",
    "washes": "wash",
}
# "Covers for both handles" is no sentence.
ALSO_NOUNS = _words("clip cover filter hook light lock pack seal set snap stand strap tie wrap")
# These say something by themselves: "Folds", "Swivels".
LONE_VERBS = _words("float fold glow recline rotate stack swivel")
