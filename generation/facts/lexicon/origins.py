"""Countries and regions with their adjectives, and brands known well enough to be recognised in any position."""

from __future__ import annotations

ORIGINS: dict[str, str] = {
    "germany": "germany|german|deutschland|deutsch|deutsche|deutscher|deutsches|deutschen|allemagne|allemand|allemande|alemania|alemán|alemana|germania|tedesco|tedesca|duitsland|duits|duitse",
    "italy": "italy|italian|italien|italienisch|italienische|italienischer|italienisches|italienischem|italienne|italia|italiano|italiana|italië|italiaans|italiaanse|tuscany|tuscan|toskana",
    "france": "france|french|frankreich|französisch|französische|französischer|français|française|francia|francés|francesa|francese|frankrijk|frans|franse",
    "spain": "spain|spanish|spanien|spanisch|spanische|espagne|espagnol|espagnole|españa|español|española|spagna|spagnolo|spanje|spaans|spaanse",
    "portugal": "portugal|portuguese|portugiesisch|portugiesische|portugais|portugaise|portugués|portuguesa|portogallo|portoghese|portugees|portugese",
    "united kingdom": "united kingdom|england|english made|british|great britain|scotland|scottish|großbritannien|britisch|britische|royaume uni|angleterre|britannique|reino unido|inglaterra|regno unito|inghilterra|verenigd koninkrijk|engeland|brits|britse",
    "usa": "usa|america|american|united states|amerika|amerikanisch|amerikanische|états unis|américain|américaine|estados unidos|americano|americana|stati uniti|verenigde staten|amerikaans|amerikaanse",
    "china": "china|chinese|chinesisch|chinesische|chine|chinois|chinoise|chino|cina|cinese|chinees",
    "japan": "japan|japanese|japanisch|japanische|japanischer|japanischem|japon|japonais|japonaise|japón|japonés|japonesa|giappone|giapponese|japans|japanse",
    "india": "india|indian|indien|indisch|indische|inde|indiano",
    "switzerland": "switzerland|swiss|schweiz|schweizer|suisse|suiza|suizo|svizzera|svizzero|zwitserland|zwitsers|zwitserse",
    "austria": "austria|austrian|österreich|österreichisch|österreichische|autriche|autrichien|oostenrijk",
    "netherlands": "netherlands|dutch|holland|niederlande|niederländisch|pays bas|néerlandais|países bajos|paesi bassi|olandese|nederland|nederlands|nederlandse",
    "belgium": "belgium|belgian|belgien|belgisch|belgique|bélgica|belgio|belgië|belgische",
    "denmark": "denmark|danish|dänemark|dänisch|dänische|danemark|danois|dinamarca|danimarca|denemarken|deens",
    "sweden": "sweden|swedish|schweden|schwedisch|schwedische|suède made|suédois|suecia|svezia|zweden|zweeds",
    "norway": "norway|norwegian|norwegen|norwegisch|norvège|noruega|norvegia|noorwegen|noors",
    "finland": "finland|finnish|finnland|finnisch|finlande|finlandia|fins",
    "scandinavia": "scandinavia|scandinavian|nordic|skandinavien|skandinavisch|skandinavische|skandinavischem|scandinave|escandinavo|scandinavo|scandinavisch|scandinavische",
    "poland": "poland|polish made|polen|polnisch|pologne|polonais|polonia|polacco|pools",
    "turkey": "turkey made|turkish|türkei|türkisch|turquie|turc|turquía|turco|turchia|turks|turkse",
    "greece": "greece|greek|griechenland|griechisch|grèce|grec|grecia|griego|greco|griekenland|grieks",
    "vietnam": "vietnam|vietnamese|vietnamesisch", "bangladesh": "bangladesh|bangladeshi",
    "korea": "korea|korean|koreanisch|corée|coréen|corea|coreano|koreaans", "taiwan": "taiwan|taiwanese",
    "australia": "australia|australian|australien|australisch|australie", "canada": "canada|canadian|kanada|kanadisch",
    "mexico": "mexico|mexican|mexiko|mexikanisch|mexique|méxico|mexicano|messico", "brazil": "brazil|brazilian|brasilien|brasilianisch|brésil|brasil",
    "egypt": "egypt|egyptian|ägypten|ägyptisch|ägyptische|égypte|égyptien|egipto|egitto", "morocco": "morocco|moroccan|marokko|marokkanisch|maroc|marocain|marruecos|marocco",
    "peru": "peru|peruvian|peruanisch|pérou|perú", "iceland": "iceland|icelandic|island made|isländisch", "ireland": "ireland|irish|irland|irisch|irlande|irlanda",
    "himalaya": "himalaya|himalayan|nepal|nepalese", "persia": "persian|persisch", "new zealand": "new zealand|neuseeland",
    "thailand": "thailand|thai|thaïlande", "indonesia": "indonesia|indonesian|indonesien|bali", "europe": "european|europäisch|européen|europeo",
}  # fmt: skip
BRANDS = (
    "adidas|nike|puma|reebok|bosch|siemens|philips|sony|samsung|panasonic|toshiba|hitachi|braun|miele|dyson|makita|dewalt|ikea|lego|gucci|prada|chanel|dior|"
    "rolex|omega|casio|seiko|garmin|fitbit|gopro|canon|nikon|logitech|microsoft|google|amazon|xiaomi|huawei|lenovo|asus|acer|bose|jbl|sennheiser|"
    "patagonia|north face|columbia|salomon|mammut|jack wolfskin|levi's|levis|zara|h m|hugo boss|ralph lauren|tommy hilfiger|lacoste|calvin klein|"
    "le creuset|tefal|wmf|zwilling|victorinox|kitchenaid|nespresso|delonghi|krups|rowenta|moulinex|stihl|gardena|kärcher|karcher|michelin|goodyear|"
    "shimano|vibram|swarovski|pandora|ray ban|oakley|montblanc|moleskine|faber castell|staedtler|hasselblad|intel|nvidia|android|iphone|ipad|airpods|"
    "alexa|harley davidson|ferrari|porsche|bmw|mercedes|volkswagen|tesla|toyota"
)
