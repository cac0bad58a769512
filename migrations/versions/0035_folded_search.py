"""Texts are found without accents and capitals; objects whose text may have been read wrongly are read anew.

The table study is written anew once, for its new column: about 40 seconds for a million studies. Series whose
objects use code extensions become stale, and are read anew in the background.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

LETTERS = (
    "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩЂЃЄЅІЇЈЉЊЋЌЍЎЏАБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯѠѢѤѦѨѪѬѮѰѲѴѶѸѺѼѾҀҊҌҎ"
    "ҐҒҔҖҘҚҜҞҠҢҤҦҨҪҬҮҰҲҴҶҸҺҼҾӀӁӃӅӇӉӋӍӐӒӔӖӘӚӜӞӠӢӤӦӨӪӬӮӰӲӴӶӸӺӼӾØøĐđÐðŁłĦħŦŧıŊŋς‘’ʼ‐‑‒–—―",
    "αβγδεζηθικλμνξοπρστυφχψωђѓєѕіїјљњћќѝўџабвгдежзийклмнопрстуфхцчшщъыьэюяѡѣѥѧѩѫѭѯѱѳѵѷѹѻѽѿҁҋҍҏ"
    "ґғҕҗҙқҝҟҡңҥҧҩҫҭүұҳҵҷҹһҽҿӏӂӄӆӈӊӌӎӑӓӕӗәӛӝӟӡӣӥӧөӫӭӯӱӳӵӷӹӻӽӿooddddllhhttinnσ'''------",
)
SEVERAL = (("ß", "ss"), ("ẞ", "ss"), ("æ", "ae"), ("Æ", "ae"), ("œ", "oe"), ("Œ", "oe"), ("þ", "th"), ("Þ", "th"))
# By octets a text of ASCII is told without a look at each letter. Not STRICT: so it is put in place of its call.
FOLDED = """
CREATE FUNCTION folded(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE
    WHEN octet_length(value) = length(value) THEN lower(value COLLATE "C")
    ELSE normalize({several}, NFC)
END
"""
BARE = r"""translate(
    lower(regexp_replace(normalize(value, NFKD), '[\u0300-\u036f]', '', 'g') COLLATE "C"), {letters})"""
SEARCH_TEXT = (
    "folded(coalesce(translate(patient_name, '^=,', '   '), '') || ' ' || coalesce(patient_id, '')"
    " || ' ' || coalesce(accession_number, '') || ' ' || coalesce(study_description, '')"
    " || ' ' || coalesce(translate(patient_name, '=^, ', ' '), ''))"
)
READ_ANEW = r"""
UPDATE series SET is_stale = true
WHERE instance_count > 0 AND NOT is_stale AND header @? '$."00080005".Value[1]'
"""


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def folding() -> str:
    bare = BARE.format(letters=", ".join(map(quoted, LETTERS)))
    for letter, several in SEVERAL:
        bare = f"replace({bare}, {quoted(letter)}, {quoted(several)})"
    return FOLDED.format(several=bare)


def upgrade() -> None:
    op.execute(sa.text(folding().replace(":", r"\:")))
    op.execute(
        "ALTER TABLE study DROP COLUMN search_text,"
        f" ADD COLUMN search_text text GENERATED ALWAYS AS ({SEARCH_TEXT}) STORED"
    )
    op.execute("COMMENT ON COLUMN study.search_text IS 'what the search box looks through: compare with folded(word)'")
    op.execute(READ_ANEW)
