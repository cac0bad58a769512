"""Texts are found without accents and capitals; devices that name a wrong character set, and what they wrote.

The table study is written anew once, for its new column: about 40 seconds for a million studies. Series whose
objects use code extensions become stale, and are read anew in the background.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
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
    keep_character_sets()


def keep_character_sets() -> None:
    op.create_table(
        "character_set",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the latest: it acts"),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("removed_at", MOMENT, comment="what was removed stays, for what it did refers to it"),
    )
    there = sa.text("removed_at IS NULL")
    op.create_index("uq_character_set_name", "character_set", ["name"], unique=True, postgresql_where=there)
    op.create_table(
        "character_set_version",
        sa.Column("character_set_id", sa.Integer, sa.ForeignKey("character_set.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("change", sa.Text, nullable=False, comment="created, edited, switched on, switched off, removed"),
        sa.Column("changed_by", sa.Text),
        sa.Column("changed_at", MOMENT, nullable=False),
        comment="every change of every one",
    )
