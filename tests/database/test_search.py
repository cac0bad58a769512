"""What the studies' list finds, in which order, page by page."""

from __future__ import annotations

import random
from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests.index_support import KOREAN, NOON, search_studies, write_study
from treegarth.errors import InvalidRequest
from treegarth.features.archive.pages.instances import INSTANCES
from treegarth.features.archive.pages.studies import STUDIES
from treegarth.features.archive.search_model import ArchiveTotals, StudyFilter
from treegarth.features.archive.store.search import (
    find_series,
    list_series,
    select_instances,
    select_studies,
    totals,
)
from treegarth.folding import fold


def found(connection: Connection, **wanted: Any) -> list[str]:
    return [s.orthanc_study_id for s in search_studies(connection, StudyFilter(**wanted)).items]


def test_the_list_begins_with_the_newest_and_ends_with_what_has_no_date(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, study_date=None)
        write_study(connection, 2, study_date=date(2026, 1, 1))
        write_study(connection, 3, study_date=date(2026, 1, 2), study_time=time(8))
        write_study(connection, 4, study_date=date(2026, 1, 2), study_time=None)
        assert found(connection) == ["study-00003", "study-00004", "study-00002", "study-00001"]


@pytest.mark.parametrize("sort", STUDIES.sorts)
def test_pages_of_every_sort_give_each_study_once_in_one_order(engine: Engine, sort: str) -> None:
    chance = random.Random(1)
    with engine.begin() as connection:
        for number in range(60):
            write_study(
                connection,
                number,
                study_date=chance.choice([None, date(2026, 1, 1), date(2026, 1, 2)]),
                study_time=chance.choice([None, time(8), time(9, 30, 0, 123456)]),
                patient_name=chance.choice([None, "A", "B^b", KOREAN]),
                patient_id=chance.choice([None, "1", "2"]),
                last_received_at=NOON + timedelta(microseconds=chance.randrange(5)),
            )
        whole = [s.orthanc_study_id for s in search_studies(connection, StudyFilter(), sort=sort, limit=1000).items]
        for limit in (1, 7, 20, 60):
            pages, cursor = [], None
            while True:
                page = search_studies(connection, StudyFilter(), sort=sort, limit=limit, cursor=cursor)
                pages.extend(s.orthanc_study_id for s in page.items)
                assert len(page.items) <= limit
                if (cursor := page.next) is None:
                    break
            assert pages == whole
    assert len(set(whole)) == 60


def test_the_oldest_first_is_the_newest_first_reversed(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, day in enumerate([None, date(2026, 1, 2), date(2026, 1, 1), None]):
            write_study(connection, number, study_date=day)
        oldest = search_studies(connection, StudyFilter(), sort="study_date").items
        assert [s.orthanc_study_id for s in oldest] == list(reversed(found(connection)))


def test_what_arrives_while_someone_turns_pages_moves_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        for number in range(10):
            write_study(connection, number, study_date=date(2026, 1, 1 + number))
        first = search_studies(connection, StudyFilter(), limit=4)
        write_study(connection, 50, study_date=date(2026, 2, 1))
        second = search_studies(connection, StudyFilter(), limit=4, cursor=first.next)
        seen = [s.orthanc_study_id for s in (*first.items, *second.items)]
        assert seen == [f"study-{number:05}" for number in (9, 8, 7, 6, 5, 4, 3, 2)]


@pytest.mark.parametrize("cursor", ["", "x", "bm90IGpzb24", "WyJzdHVkaWVzIG5ld2VzdCIsIDEsIDIsIDNd", "W10", "é"])
def test_a_cursor_that_is_none_is_refused(engine: Engine, cursor: str) -> None:
    with engine.begin() as connection, pytest.raises(InvalidRequest, match="cursor"):
        search_studies(connection, StudyFilter(), cursor=cursor)


def test_a_cursor_of_another_sort_is_refused(engine: Engine) -> None:
    with engine.begin() as connection:
        for number in range(3):
            write_study(connection, number)
        cursor = search_studies(connection, StudyFilter(), limit=1).next
        with pytest.raises(InvalidRequest):
            search_studies(connection, StudyFilter(), sort="study_date", cursor=cursor)


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ("hong", True),
        ("GILDONG", True),
        ("hong gildong", True),
        ("Hong^Gildong", True),
        ("홍", True),
        ("길동", True),
        ("홍길동", True),
        ("洪吉洞", True),
        ("홍 길동", True),
        ("hong*", True),
        ("*dong", True),
        ("홍*", True),
        ("*吉?", True),
        ("h?ng*", True),
        ("?ong", False),
        ("g*", False),
        ("hong*동", False),
        ("hong*=*=홍*", True),
        ("Hong, Gildong", True),
        ("hong , gil", True),
        ("Gildong Hong", True),
        ("honggildong", True),
        ("ＨＯＮＧ", True),
        ("홍길 동", True),
        ("hong, g*", True),
        ("홍, 길?", True),
        ("\u1112\u1169\u11bc", True),
        ("hong, x*", False),
        ("gildonghong", False),
        ("P7", False),
        ("%", False),
        ("h_ng", False),
        ("\\", False),
    ],
)
def test_a_name_is_found_by_any_of_its_groups(engine: Engine, asked: str, matches: bool) -> None:
    with engine.begin() as connection:
        write_study(connection, 7, patient_name=KOREAN)
        write_study(connection, 8, patient_name=None)
        assert found(connection, patient_name=asked) == (["study-00007"] if matches else [])


def test_letters_that_are_composed_differently_are_the_same(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, patient_name="Mu\u0308ller^Jo\u0308rg")
        assert found(connection, patient_name="MÜLLER") == ["study-00001"]
        assert found(connection, patient_name="müll*") == ["study-00001"]
        assert found(connection, text="jörg müller") == ["study-00001"]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("MÜLLER^JÜRGEN", ("müller", "muller", "MULLER", "Müller, Jürgen", "mul*", "muller, j?rgen")),
        ("Lefèvre^Anaïs", ("lefevre", "LEFÈVRE", "anais", "Lefevre, Anais")),
        ("ÇAĞLAR^İPEK", ("ipek", "İPEK", "ıpek", "caglar", "Çağlar, İpek")),
        ("Groß^Jørgen", ("gross", "GROSS", "groß", "GROẞ", "jorgen")),
        ("ﾔﾏﾀﾞ^ﾀﾛｳ", ("ヤマダ", "ﾔﾏﾀﾞ", "ヤマダ タロウ", "ヤマダタロウ")),
        ("ΠΑΠΆΣ^ΝΊΚΟΣ", ("παπας", "Νίκος", "παπασ")),
        ("ЁЛКИН^ФЁДОР", ("елкин", "Ёлкин, Фёдор")),
        ("金^民秀", ("金", "金民秀")),
        ("Kim^Minsu=\u1100\u1175\u11b7^민수", ("김", "김민수", "김 민수", "Kim, Minsu")),
        ("Ｋｉｍ^Ｍｉｎ", ("kim", "Kim, Min")),
        ("D\u2019Arc^Zoé", ("d'arc", "zoe")),
    ],
)
def test_names_are_found_without_accents_capitals_and_forms_of_width(
    engine: Engine, name: str, asked: tuple[str, ...]
) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, patient_name=name, study_description=name.replace("^", " "))
        for one in asked:
            assert found(connection, patient_name=one) == ["study-00001"], one
            assert found(connection, text=one) == ["study-00001"], one
            if "," not in one and "*" not in one:
                assert found(connection, study_description=one) == ["study-00001"], one


def test_wildcards_are_read_in_every_field(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, patient_name=KOREAN, accession_number="ACC-77", study_description="CT Abdomen")
        write_study(connection, 12)
        assert found(connection, text="*dong acc-7? abd*men") == ["study-00001"]
        assert found(connection, text="홍*동 *") == ["study-00001"]
        assert found(connection, text="1.2.840.99999.1.*2") == ["study-00012"]
        assert found(connection, text="?cc-77x") == []
        assert found(connection, study_instance_uid="1.2.840.99999.1.?") == ["study-00001"]
        assert found(connection, accession_number="ACC-7?") == ["study-00001"]
        assert found(connection, patient_id="P1*") == ["study-00012", "study-00001"]
        every = select_instances("series-00012", sop_instance_uid="*.12.1", remote_ae_title=None)
        assert len(INSTANCES.rows(connection, every).items) == 1


def test_the_database_folds_a_text_as_python_does(engine: Engine) -> None:
    """Every letter of Latin, Greek, Cyrillic, Hangul, kana and their forms, alone and beside others."""
    blocks = [(0x20, 0x7F), (0xA0, 0x250), (0x2B0, 0x370), (0x384, 0x530), (0x1100, 0x1200), (0x1E00, 0x2000)]
    blocks += [(0x2000, 0x2100), (0x3041, 0x3100), (0x3131, 0x318F), (0xAC00, 0xACFF), (0xF900, 0xFA6E)]
    blocks += [(0xFB00, 0xFB07), (0xFF01, 0xFFEF), (0x4E00, 0x4E40)]
    letters = [chr(one) for first, end in blocks for one in range(first, end)]
    texts = [*letters, *("a" + one + "Z\u0301" for one in letters), "", "Hong^Gildong=홍^길동, ẞÆ\u0130"]
    with engine.begin() as connection:
        rows = connection.execute(
            text("SELECT given, folded(given) FROM unnest(CAST(:texts AS text[])) AS g (given)"), {"texts": texts}
        ).all()
    assert [(one, there) for one, there in rows if fold(one) != there] == []


def test_the_search_box_finds_names_identifiers_descriptions_and_uids_of_every_level(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(
            connection, 1, patient_name=KOREAN, accession_number="ACC-77", study_description="CT Abdomen, 100% dose"
        )
        write_study(connection, 2)
        for words in (
            *(
                "홍길동",
                "gildong abdomen",
                "acc-77",
                "p1",
                "100%",
                "ct abdo",
                "Hong, Gildong",
                "hong,gildong",
                "^ hong",
            ),
            *("1.2.840.99999.1.1", "1.2.840.99999.2.1", "1.2.840.99999.3.1.2"),
        ):
            assert found(connection, text=words) == ["study-00001"], words
        assert found(connection, text="gildong chest") == []
        assert found(connection, text="1.2.840.99999.9.9") == []


def test_conditions_add_up(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1, modalities=["CT", "SR"], study_date=date(2026, 1, 1), study_description="Head")
        write_study(connection, 2, modalities=["MR"], study_date=date(2026, 1, 2), accession_number="A2")
        write_study(connection, 3, modalities=["PT", "CT"], study_date=date(2026, 1, 3))
        assert found(connection, modalities=("CT",)) == ["study-00003", "study-00001"]
        assert found(connection, modalities=("MR", "PT")) == ["study-00003", "study-00002"]
        assert found(connection, study_date_from=date(2026, 1, 2)) == ["study-00003", "study-00002"]
        assert found(connection, study_date_to=date(2026, 1, 2)) == ["study-00002", "study-00001"]
        assert found(connection, modalities=("CT",), study_date_to=date(2026, 1, 2)) == ["study-00001"]
        assert found(connection, patient_id="P2") == ["study-00002"]
        assert found(connection, patient_id="p2") == []
        assert found(connection, patient_id="P?") == ["study-00003", "study-00002", "study-00001"]
        assert found(connection, accession_number="A*") == ["study-00002"]
        assert found(connection, study_description="hea") == ["study-00001"]
        assert found(connection, study_description="h*d") == ["study-00001"]
        assert found(connection, study_description="h?d") == []
        assert found(connection, study_instance_uid="1.2.840.99999.1.3") == ["study-00003"]


def test_counting_stops_where_it_is_told_to(engine: Engine) -> None:
    with engine.begin() as connection:
        for number in range(5):
            write_study(connection, number)
        every = select_studies(StudyFilter())
        assert [STUDIES.count(connection, every, at_most=most) for most in (10, 5, 4, 2)] == [5, 5, 5, 3]


def test_a_study_is_read_with_its_series_and_their_instances_by_page(engine: Engine) -> None:
    with engine.begin() as connection:
        write_study(connection, 1)
        [one] = search_studies(connection, StudyFilter(study_instance_uid="1.2.840.99999.1.1")).items
        [its_series] = list_series(connection, one.orthanc_study_id)
        assert find_series(connection, one.orthanc_study_id, its_series.series_instance_uid) == its_series
        assert its_series.orthanc_series_id == "series-00001"
        assert find_series(connection, "1.2.840.99999.1.2", its_series.series_instance_uid) is None
        every = select_instances("series-00001")
        first = INSTANCES.rows(connection, every, limit=1)
        second = INSTANCES.rows(connection, every, limit=1, cursor=first.next)
        assert [i.instance_number for i in (*first.items, *second.items)] == [1, 2]
        assert second.next is None
        assert search_studies(connection, StudyFilter(study_instance_uid="1.2.3")).items == []


def test_the_totals_are_the_sums_of_the_studies(engine: Engine) -> None:
    with engine.begin() as connection:
        assert totals(connection) == ArchiveTotals(study_count=0, instance_count=0, size_bytes=0)
        for number in range(3):
            write_study(connection, number)
        assert totals(connection) == ArchiveTotals(study_count=3, instance_count=6, size_bytes=3000)


@pytest.mark.parametrize("uid", ["2.25.17816817815583115543541332725725527447497", "1.2.840.113619.2.55"])
def test_a_whole_uid_is_found_by_the_search_box_however_few_dots_it_has(engine: Engine, uid: str) -> None:
    with engine.begin() as connection:
        identifier = write_study(connection, 1, study_instance_uid=uid)
        write_study(connection, 2, study_instance_uid=f"{uid}.9")
        for text in (uid, f"{uid[:-3]}*97" if uid.endswith("497") else f"{uid[:-1]}?"):
            found = search_studies(connection, StudyFilter(text=text)).items
            assert [one.orthanc_study_id for one in found] == [identifier], text
