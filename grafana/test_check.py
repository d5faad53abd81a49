"""Les fonctions de check.py : ce qu'elles voient, et ce qu'elles refusent."""

import copy
import json
import unittest

import check

PANEL = {
    "id": 2,
    "type": "stat",
    "title": "Valeur",
    "description": "Rouge sous zéro.",
    "datasource": {"uid": "${datasource}"},
    "gridPos": {"x": 0, "y": 1, "w": 4, "h": 4},
    "targets": [{"expr": 'calvalot_x{instance="$instance"}', "instant": False, "datasource": {"uid": "${datasource}"}}],
    "fieldConfig": {"defaults": {"unit": "s", "thresholds": {"steps": [{"value": None}, {"value": 1}]}}},
    "links": [{"url": "${runbook}#calvalotdown"}],
}
BOARD = {
    "uid": "board",
    "editable": False,
    "panels": [{"id": 1, "type": "row", "title": "R", "gridPos": {"x": 0, "y": 0, "w": 24, "h": 1}}, PANEL],
    "templating": {"list": [{"name": "instance"}, {"name": "datasource"}]},
    "annotations": {"list": [{"name": "N", "expr": "calvalot_y"}]},
}
ALERT = """
      # Une raison.
      - alert: CalvalotDown
        expr: up == 0
        labels:
          severity: critical
        annotations:
          summary: "s"
          description: "d"
          runbook_url: https://example.org/docs/runbook.md#calvalotdown
"""


def changed(**panel):
    board = copy.deepcopy(BOARD)
    board["panels"][1].update(panel)
    return board


class Expressions(unittest.TestCase):
    def test_every_choice_of_series_is_seen_and_nothing_else(self):
        cases = [
            ("up == 0", ["up"]),
            ('up{job="calvalot"} == 0', ['up{job="calvalot"}']),
            ('sum by (job) (calvalot_a{b="c"}) / calvalot:d:e', ['calvalot_a{b="c"}', "calvalot:d:e"]),
            ("a on (instance) group_left () (calvalot_b > 0)", ["calvalot_b"]),
            ('count(ALERTS{alertstate="firing"}) or vector(0)', ['ALERTS{alertstate="firing"}']),
            ("rate(calvalot_polls_total[5m])", ["calvalot_polls_total"]),
        ]
        for expression, expected in cases:
            self.assertEqual(check.selectors(expression), expected, expression)

    def test_variables_are_replaced_as_grafana_does(self):
        asked = check.expand('x{instance="$instance",coin=~"${coin}"}[$__rate_interval]', "a")
        self.assertEqual(asked, 'x{instance="a",coin=~".*"}[1m]')

    def test_only_what_is_listed_may_be_empty(self):
        self.assertTrue(check.exempt("calvalot_trading_open", live=False))
        self.assertFalse(check.exempt("calvalot_trading_open", live=True))
        self.assertTrue(check.exempt("ALERTS", live=True))
        self.assertFalse(check.exempt("calvalot_cash_usdc", live=False))

    def test_names_used_missing_or_forgotten_are_told(self):
        excused = set(check.EMPTY) | set(check.LIVE_ONLY)
        page = "# TYPE calvalot_known gauge\n# TYPE calvalot_time histogram\n"
        page += "".join(f"# TYPE {name} gauge\n" for name in [*excused - {"ALERTS"}, *check.UNUSED])
        used = {"calvalot_known", "calvalot_time_bucket", "up"} | excused
        faults = lambda used: list(check.name_faults(used, {"calvalot:rule"}, page))
        self.assertEqual(faults(used), [])
        cases = {
            "calvalot_gone is used": used | {"calvalot_gone"},
            "calvalot_known is on the golden page, not used": used - {"calvalot_known"},
            "calvalot_time is on the golden page, not used": used - {"calvalot_time_bucket"},
            "calvalot_time is used and is not": used | {"calvalot_time"},
            "calvalot_trading_open is excused": used - {"calvalot_trading_open"},
            "process_max_fds is listed in UNUSED and used": used | {"process_max_fds"},
        }
        for fault, changed in cases.items():
            found = faults(changed)
            self.assertTrue(any(fault in one for one in found), f"{fault}: {found}")


class Boards(unittest.TestCase):
    def faults(self, board):
        return list(check.board_faults(board, {"calvalotdown"}))

    def test_a_good_board_has_no_fault(self):
        self.assertEqual(self.faults(BOARD), [])

    def test_each_fault_of_a_panel_is_told(self):
        target = PANEL["targets"][0]
        cases = {
            "no description": {"description": ""},
            "without a reason": {"description": "La valeur."},
            "no unit": {"fieldConfig": {"defaults": {"thresholds": {"steps": []}}}},
            "another data source": {"datasource": {"uid": "x"}},
            "leads nowhere": {"links": [{"url": "${runbook}#gone"}]},
            "overlap": {"gridPos": {"x": 0, "y": 0, "w": 4, "h": 4}},
            "wider": {"gridPos": {"x": 22, "y": 1, "w": 4, "h": 4}},
            "one id": {"id": 1},
            "is no variable": {"targets": [{**target, "expr": "up{a='$gone'}"}]},
        }
        for fault, change in cases.items():
            found = self.faults(changed(**change))
            self.assertTrue(any(fault in one for one in found), f"{fault}: {found}")

    def test_a_board_that_can_be_changed_is_a_fault(self):
        self.assertEqual(len(self.faults({**BOARD, "editable": True})), 1)

    def test_another_formatting_is_a_fault(self):
        good = json.dumps({"a": "é"}, indent=2, ensure_ascii=False) + "\n"
        self.assertEqual(list(check.form_faults("b", good)), [])
        for bad in [good.rstrip(), good.replace("  ", "    "), good.replace("é", "\\u00e9")]:
            self.assertEqual(len(list(check.form_faults("b", bad))), 1, bad)


class Alerts(unittest.TestCase):
    def test_an_alert_has_a_reason_a_severity_and_its_runbook(self):
        self.assertEqual(list(check.alert_faults(ALERT)), [])
        for gone in ["      # Une raison.\n", "severity: critical", "summary: ", "#calvalotdown"]:
            self.assertEqual(len(list(check.alert_faults(ALERT.replace(gone, "")))), 1, gone)

    def test_an_alert_and_a_heading_go_together(self):
        text = "**Ce qui s'est passé.** **À faire.** **What happened.** **What to do.**"
        runbook = f"# R\n\n## CalvalotDown\n\n{text}\n"
        self.assertEqual(list(check.runbook_faults(["CalvalotDown"], runbook)), [])
        self.assertEqual(len(list(check.runbook_faults(["CalvalotUp"], runbook))), 2)
        self.assertEqual(len(list(check.runbook_faults(["CalvalotDown"], runbook.replace("**À faire.**", "")))), 1)

    def test_both_cases_are_wanted(self):
        fires = "        alertname: A\n        exp_alerts:\n          - exp_labels:\n"
        quiet = "        alertname: A\n        exp_alerts: []\n"
        for cases, faults in [(fires + quiet, 0), (fires, 1), (quiet, 1), ("", 2)]:
            self.assertEqual(len(list(check.case_faults(["A"], cases))), faults, cases)

    def test_a_rule_is_tested_and_used(self):
        self.assertEqual(list(check.record_faults(["calvalot:a"], "calvalot:a", ["calvalot:a > 1"])), [])
        self.assertEqual(len(list(check.record_faults(["calvalot:a"], "", ["calvalot:ab"]))), 2)


if __name__ == "__main__":
    unittest.main()
