"""What is typed into each form of the dashboard, in the order in which they can be sent one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.browser.every_page import POLICY

FURTHER = (
    "studies?modality=CT",
    "dose/sources?state=failed",
    "dose/ssde?state=failed",
    "system/tasks?state=failed",
    "dose/not-patients?patient_id=QA*",
    "dose/standard-names/rule?modality=CT&name=Tried&study_description=*",
    "retention/ledger?state=deleted",
    "retention/ledger/objects?{gone_study}",
    "access/roles/{role_id}",
    "rules/{rule_id}/try",
    "rules/{second_rule_id}/try",
    "studies/{marked_study}",
    "work/1000",
)
"""Addresses beside those of the route table: what is asked for makes a form appear."""


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What is typed into a form; what it has and is not named here is left as it is, or filled by its name."""

    typed: Mapping[str, str] = field(default_factory=dict)
    button: str = ""  # the value of the button, where it is not the first that can be pressed


DESTINATION = "- {name: Taken in, kind: dicom, address: {ae_title: TAKEN, host: 127.0.0.1, port: 104}}"
PUBLICATION = "{authors: Nobody, title: Made up, year: 2024, table: Table 1}"
LEVELS = f"name: of a text\nplace: Nowhere\npublication: {PUBLICATION}\n"
LEVELS_TYPED = {
    "name": "of a form",
    "place": "Nowhere",
    "publication.authors": "Nobody",
    "publication.title": "Made up",
    "publication.year": "2024",
    "publication.table": "Table 1",
    "rows.0.modality": "CT",
    "rows.0.standard_name": "Chest",
    "rows.0.quantity": "dlp_mgy_cm",
    "rows.0.level": "100",
}
TYPED = {"reason": "a test", "name": "A name", "why": "a test", "count": "0", "label": "a label", "study": "CT"}
"""By the names of inputs that many forms have."""
FORMS: Mapping[str, Filling] = {
    # What is marked comes first, for holds and deliveries take marks back; what removes comes last.
    "retention.rescue_page": Filling(),
    "retention.marked_objects_act": Filling(),
    "retention.marked_act": Filling(),
    "views.save_page": Filling(typed={"name": "CT"}),
    "views.views_act": Filling(),
    "works.resume": Filling(),
    "archive.compare": Filling(),
    "system.retry_task": Filling(),
    "system.tasks_act": Filling(),
    "dose.missing_act": Filling(),
    "dose.retry_page": Filling(),
    "dose.sources_act": Filling(),
    "dose.retry_all_page": Filling(),
    "dose.reread_page": Filling(),
    "dose.redecide_page": Filling(),
    "dose.report_pdf": Filling(),
    "dose.measuring_page": Filling(),
    "dose.ssde_retry_page": Filling(),
    "dose.add_not_patient_page": Filling(),
    "not_patients.create_page": Filling(
        typed={"text": "name: of a text\nmeaning: phantom\npatient_id: TEXT*\n"}, button="save"
    ),
    "not_patients.change_page": Filling(button="save"),
    "not_patients.take_in_page": Filling(
        typed={"text": "- {name: taken in, meaning: phantom, patient_id: TAKEN*}"}, button="look"
    ),
    "not_patients.switch_page": Filling(),
    "not_patients.remove_page": Filling(),
    "dose.mark_study_page": Filling(),
    "dose.decide_page": Filling(),
    "dose.undo_page": Filling(),
    "dose.name_device_page": Filling(typed={"display_name": "Emergency room", "location": "Building A"}, button="name"),
    "dose.send_sizes_page": Filling(typed={"text": "accession_number,patient_weight_kg\nNOBODY,70\n"}),
    "dose.act_on_sizes_page": Filling(button="apply"),
    "dose.add_limit_page": Filling(typed={"greatest": "9000"}),
    "dose_limits.create_page": Filling(
        typed={"text": "name: of a text\nquantity: dose_rp_gy\ngreatest: 9000\n"}, button="save"
    ),
    "dose_limits.change_page": Filling(button="save"),
    "dose_limits.take_in_page": Filling(
        typed={"text": "- {name: taken in, quantity: total_fluoro_time_s, greatest: 9000}"}, button="look"
    ),
    "dose_limits.switch_page": Filling(),
    "dose_limits.remove_page": Filling(),
    "dose.alert_create_level_page": Filling(
        typed={"name": "high", "above": "100", "exams_from": "2020-01-01"}, button="save"
    ),
    "dose.alert_change_level_page": Filling(button="save"),
    "dose.act_on_alert_page": Filling(typed={"reason": "seen"}, button="comment"),
    "dose_alert_levels.take_in_page": Filling(
        typed={"text": "- {name: taken in, kind: missing, after_hours: 24}"}, button="look"
    ),
    "dose_alert_levels.switch_page": Filling(),
    "dose_alert_levels.remove_page": Filling(),
    "dose.undo_name_import_page": Filling(),
    "dose.import_names_csv_page": Filling(
        typed={"text": "modality,standard_name,study_description\nCT,of a table,*never*\n"}, button="look"
    ),
    "dose.save_name_rule_page": Filling(),
    "dose.remove_name_rule_page": Filling(),
    "dose.restore_standard_name_page": Filling(),
    "standard_names.create_page": Filling(typed={"text": "name: of a text\nmodality: CT\nrules: []\n"}, button="save"),
    "standard_names.change_page": Filling(button="save"),
    "standard_names.take_in_page": Filling(typed={"text": "- {name: taken in, modality: CT}"}, button="look"),
    "standard_names.switch_page": Filling(),
    "standard_names.remove_page": Filling(),
    "dose_coefficients.create_page": Filling(
        typed={"text": "name: of a text\ntable: half_life\nof: N-13\nvalue: 597.9\nsource: ICRP 107\n"}, button="save"
    ),
    "dose_coefficients.change_page": Filling(button="save"),
    "dose_coefficients.take_in_page": Filling(
        typed={"text": "- {name: taken in, table: half_life, of: C-11, value: 1223.4, source: ICRP 107}"}, button="look"
    ),
    "dose_coefficients.switch_page": Filling(),
    "dose_coefficients.remove_page": Filling(),
    "dose.create_chart_page": Filling(typed={"name": "composed"}, button="save"),
    "dose.change_chart_page": Filling(button="save"),
    "dose.restore_chart_page": Filling(),
    "dose_charts.take_in_page": Filling(
        typed={"text": "- {name: taken in, chart: histogram, quantity: dlp_body_mgy_cm, modality: CT}"}, button="look"
    ),
    "dose_charts.switch_page": Filling(),
    "dose_charts.remove_page": Filling(),
    "dose_levels.create_form_page": Filling(typed=LEVELS_TYPED, button="save"),
    "dose_levels.change_form_page": Filling(button="save"),
    "dose_levels.create_page": Filling(typed={"text": LEVELS}, button="save"),
    "dose_levels.change_page": Filling(button="save"),
    "dose_levels.take_in_page": Filling(
        typed={"text": f"[{{name: taken in, place: Nowhere, publication: {PUBLICATION}}}]"}, button="look"
    ),
    "dose_levels.take_rows_page": Filling(button="look"),
    "dose_levels.switch_page": Filling(),
    "dose_levels.remove_page": Filling(),
    "archive.add_character_set_page": Filling(typed={"manufacturer": "MAKER"}),
    "character_sets.create_page": Filling(
        typed={"text": "name: of a text\nmanufacturer: MAKER\nreally: ISO_IR 192\n"}, button="save"
    ),
    "character_sets.change_page": Filling(button="save"),
    "character_sets.take_in_page": Filling(
        typed={"text": "- {name: taken in, station_name: CT1, really: KOI8-R}"}, button="look"
    ),
    "character_sets.switch_page": Filling(),
    "character_sets.remove_page": Filling(),
    "archive.label_page": Filling(typed={"label": "a label"}),
    "dose.doses_act": Filling(),
    "deliveries.create_destination_page": Filling(
        typed={"name": "Node", "address.ae_title": "NODE", "address.host": "127.0.0.1"}, button="save"
    ),
    "deliveries.change_destination_page": Filling(button="save"),
    "deliveries.echo_page": Filling(),
    "destinations.switch_page": Filling(),
    "destinations.take_in_page": Filling(typed={"text": DESTINATION}, button="look"),
    "deliveries.again_page": Filling(),
    "deliveries.send_study_page": Filling(),
    "deliveries.deliveries_act": Filling(),
    "rules.create_page": Filling(typed={"name": "Another", "c.0.field": "Modality", "c.0.value": "CT"}, button="try"),
    "rules.change_page": Filling(button="save"),
    "rules.take_in_page": Filling(typed={"text": "- {name: of a text, when: by hand, do: [label: x]}"}, button="look"),
    "rules.move_page": Filling(),
    "rules.apply_page": Filling(),
    "rules.switch_page": Filling(),
    "rules.events_act": Filling(),
    "rules.retry_event_page": Filling(),
    "rules.tell_again_page": Filling(),
    "rules.seen_page": Filling(),
    "rules.notifications_act": Filling(),
    "rules.messages_act": Filling(),
    "rules.remove_page": Filling(),
    "retention.create_page": Filling(
        typed={"name": "of a form", "why": "a test", "demands.0.at": "Kept folder"}, button="save"
    ),
    "retention.change_page": Filling(typed={"only_copy": "true"}, button="save"),
    "retention.switch_page": Filling(typed={"only_copy_may_go": "true"}),
    "retention.take_in_page": Filling(typed={"text": POLICY}, button="look"),
    "retention.hold_page": Filling(),
    "retention.release_page": Filling(),
    "retention.holds_act": Filling(),
    "retention.bring_back_page": Filling(),
    "retention.bring_study_back_page": Filling(),
    "retention.ledger_act": Filling(),
    "retention.ledger_objects_act": Filling(),
    "retention.remove_page": Filling(),
    "archive.studies_act": Filling(),
    "destinations.remove_page": Filling(),
    "accounts.create_user_page": Filling(typed={"name": "berta", "full_name": "Berta"}),
    "accounts.set_roles_page": Filling(),
    "accounts.rename_user_page": Filling(typed={"full_name": "Anna Lee"}),
    "accounts.user_password_page": Filling(),
    "accounts.switch_user_page": Filling(),
    "accounts.create_role_page": Filling(typed={"name": "of a form"}, button="save"),
    "accounts.change_role_page": Filling(button="save"),
    "roles.take_in_page": Filling(typed={"text": "- {name: taken in, permissions: [see dose]}"}, button="look"),
    "roles.switch_page": Filling(),
    "roles.remove_page": Filling(),
}
ELSEWHERE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("accounts.end_user_session_page", "accounts.end_user_sessions_page", "accounts.revoke_user_token_page"),
            *("accounts.end_own_session_page", "accounts.end_own_sessions_page", "accounts.revoke_own_token_page"),
            *("accounts.create_own_token_page", "accounts.take_off_second_step_page", "accounts.change_password"),
            *("accounts.sign_in", "accounts.sign_out", "accounts.send_code", "accounts.begin_second_step"),
            *("accounts.confirm_second_step", "accounts.end_second_step", "accounts.new_recovery_codes"),
        ),
        "nobody signs in at this server",
    ),
    "dose.assign_raw_name_page": "a suggestion stands only beside a raw name that is like a standard one",
    "works.stop": "long work on so small an archive is over before a page is looked at",
}
"""Addresses that take a form which none of these pages has, or only by chance: why."""
FILES_OF_MANY = "_prepare"
"""What the addresses of forms end in that only a list of more rows has than are counted."""
