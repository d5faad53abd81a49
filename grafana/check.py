#!/usr/bin/env python3
"""Ce que les tableaux, les règles et les alertes promettent, relu.

`check.py files` ne lit que le dépôt : la forme des tableaux, un titre du runbook et deux cas par alerte, chaque règle
essayée et employée, chaque mesure nommée dans la page gardée et chaque mesure de celle-ci employée. `check.py live` demande à un vrai Prometheus, qui lit de vrais Calv-a-lot, chaque expression de
chaque panneau et de chaque règle : aucune n'est une erreur, aucune n'est vide sans être dans `EMPTY`. Échoue en disant
toutes les fautes. Rien d'autre que la bibliothèque standard.
"""

import argparse
import json
import math
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
RUNBOOK = HERE.parent / "docs/runbook.md"
# La page des mesures sans ses nombres, qu'un test du programme tient à jour.
GOLDEN = HERE.parent / "docs/metrics.txt"
PATIENCE_S = 120
LARGEST_PAGE = 64 * 1024

# Ce qui peut être vide dans une démonstration, et pourquoi.
EMPTY = {
    "ALERTS": "la démonstration n'a pas à déclencher d'alerte",
    "calvalot_exchange_silent_until_timestamp_seconds": "la bourse simulée ne demande pas de silence",
    "calvalot_last_backup_timestamp_seconds": "une démonstration ne se sauvegarde pas",
    "calvalot_stop_loss_ratio": "une démonstration ne se fixe pas de perte maximale",
    "calvalot_stop_loss_drawdown_ratio": "de même",
}
# Ce qu'une simulation n'a pas : rien ne s'y échange pour de vrai.
LIVE_ONLY = {
    "calvalot_trading_open": "il n'y a pas d'échange réel à ouvrir",
    "calvalot_ledger_alone": "il n'y a pas de compte à partager",
    "calvalot_check_ok": "les essais ouvrent l'échange réel",
    "calvalot:checks_failed": "les essais ouvrent l'échange réel",
    "calvalot_reconciliation_difference": "il n'y a pas de compte",
    "calvalot_reconciliation_missing": "il n'y a pas de compte",
}
# Les mesures de la page que rien ne montre, exprès, et pourquoi.
UNUSED = {
    "process_virtual_memory_bytes": "réservée et jamais occupée, elle ne dit rien de ce qui manque",
    "process_max_fds": "le programme en ouvre vingt, la limite est loin",
    "calvalot_of_others": "un fait noté à part, qui ne demande rien à personne ; la page le montre",
    "calvalot_of_others_unfollowed_assets": "de même",
}
# Celles que Prometheus fait lui-même.
PROMETHEUS_OWN = {"up", "ALERTS", "scrape_duration_seconds", "scrape_samples_scraped"}

SELECTOR = re.compile(r"(?<![\w:\"])(calvalot[_:][\w:]+|process_\w+|ALERTS|up|scrape_\w+)(?![\w:\"])(\{[^}]*\})?")
UIDS = {"calvalot-follower", "calvalot-fleet"}
BUILT_IN = {"__rate_interval": "1m", "__interval": "1m", "__range": "5m"}
COLOURED = re.compile(r"orange|rouge|ligne", re.IGNORECASE)


# --- Ce qui se lit dans une expression, un tableau, un fichier ---


def selectors(expression):
    """Chaque choix de séries d'une expression : `nom{étiquettes}`."""
    return [name + (labels or "") for name, labels in SELECTOR.findall(expression)]


def names(expression):
    return {name for name, _ in SELECTOR.findall(expression)}


def expand(expression, instance):
    """L'expression telle que Grafana l'enverrait, pour cette instance."""
    values = {**BUILT_IN, "instance": instance, "coin": ".*"}
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], expression)


def variables(expression):
    return set(re.findall(r"\$\{?(\w+)\}?", expression))


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions(board):
    """(où, expression, à un instant seulement), panneaux puis annotations."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield f"{board['uid']}, « {panel['title']} »", target["expr"], target["instant"]
    for note in board["annotations"]["list"]:
        yield f"{board['uid']}, annotation « {note['name']} »", note["expr"], False


def exempt(expression, live):
    """Vrai si cette expression a le droit d'être vide."""
    listed = EMPTY if live else {**EMPTY, **LIVE_ONLY}
    return bool(names(expression) & listed.keys())


def families(page):
    """Les familles d'une page au format texte, et leur sorte."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)", page, re.MULTILINE))


def sampled(page):
    """La famille de chaque nom qu'une expression peut demander : un histogramme en a trois."""
    found = {}
    for name, kind in families(page).items():
        for suffix in ["_bucket", "_sum", "_count"] if kind == "histogram" else [""]:
            found[name + suffix] = name
    return found


# --- Ce qui doit tenir sans rien lancer ---


def form_faults(name, text):
    """Un JSON relu et réécrit est le même : les différences d'un commit sont celles qu'on a voulues."""
    if text != json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n":
        yield f"{name}: not formatted: two spaces, no escapes, one newline at the end"


def overlap(first, second):
    return (
        first["x"] < second["x"] + second["w"]
        and second["x"] < first["x"] + first["w"]
        and first["y"] < second["y"] + second["h"]
        and second["y"] < first["y"] + first["h"]
    )


def panel_faults(panel, anchors):
    if not panel.get("description"):
        yield "no description"
    defaults = panel["fieldConfig"]["defaults"]
    if not defaults.get("unit"):
        yield "no unit"
    if len(defaults["thresholds"]["steps"]) > 1 and not COLOURED.search(panel["description"]):
        yield "thresholds without a reason in the description"
    for source in [panel, *panel["targets"]]:
        if source["datasource"]["uid"] != "${datasource}":
            yield "another data source than the variable"
    for link in panel.get("links", []):
        if link["url"].partition("#")[2] not in anchors:
            yield f"{link['url']} leads nowhere"


def board_faults(board, anchors):
    name = board["uid"]
    if board["editable"] is not False:
        yield f"{name}: not read-only"
    declared = {variable["name"] for variable in board["templating"]["list"]}
    for where, expression, _ in expressions(board):
        for unknown in variables(expression) - declared - BUILT_IN.keys():
            yield f"{where}: ${unknown} is no variable"
    identifiers = [panel["id"] for panel in board["panels"]]
    if len(set(identifiers)) != len(identifiers):
        yield f"{name}: two panels have one id"
    places = [(panel["title"], panel["gridPos"]) for panel in board["panels"]]
    for at, (title, place) in enumerate(places):
        if place["x"] + place["w"] > 24:
            yield f"{name}, « {title} »: wider than the page"
        for other, second in places[at + 1 :]:
            if overlap(place, second):
                yield f"{name}: « {title} » and « {other} » overlap"
    for panel in panels(board):
        for fault in panel_faults(panel, anchors):
            yield f"{name}, « {panel['title']} »: {fault}"


def sections(runbook):
    """Le texte de chaque titre du runbook."""
    parts = re.split(r"^## (\S+)\n", runbook, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def runbook_faults(alerts, runbook):
    found = sections(runbook)
    for name in sorted(set(alerts) ^ set(found)):
        yield f"{name}: not both an alert and a heading of the runbook"
    for name, text in found.items():
        for wanted in ["**Ce qui s'est passé.**", "**À faire.**", "**What happened.**", "**What to do.**"]:
            if wanted not in text:
                yield f"runbook, {name}: no {wanted}"


def alert_faults(rules):
    """Ce que chaque alerte porte : sa raison en commentaire, une gravité, un titre du runbook."""
    for before, name, body in re.findall(r"( *#[^\n]*\n)? +- alert: (\w+)\n(.*?)(?=\n +# |\n +- |\n\n|\Z)", rules, re.DOTALL):
        if not before:
            yield f"{name}: no reason above it"
        if not re.search(r"severity: (critical|warning|info)$", body, re.MULTILINE):
            yield f"{name}: no severity"
        for wanted in ["summary: ", "description: ", f"docs/runbook.md#{name.lower()}"]:
            if wanted not in body:
                yield f"{name}: no {wanted}"


def case_faults(alerts, cases):
    """Chaque alerte a un cas où elle part et un où elle se tait."""
    seen = re.findall(r"alertname: (\w+)\n +exp_alerts:( \[\])?", cases)
    for name in alerts:
        if (name, "") not in seen:
            yield f"{name}: no case where it fires"
        if (name, " []") not in seen:
            yield f"{name}: no case where it does not"


def record_faults(records, tests, users):
    for name in records:
        if name not in tests:
            yield f"{name}: not tested in rules_test.yml nor in drawdown_test.yml"
        if not any(name in names(text) for text in users):
            yield f"{name}: recorded and never used"


def name_faults(used, recorded, golden):
    """Ce qui est nommé existe dans la page gardée, et ce qu'elle a est employé."""
    known = sampled(golden)
    for name in sorted(used - known.keys() - recorded - PROMETHEUS_OWN):
        yield f"{name} is used and is not on the golden page"
    shown = {known[name] for name in used & known.keys()}
    for name in sorted(set(known.values()) - shown - UNUSED.keys()):
        yield f"{name} is on the golden page, not used, and not listed in UNUSED"
    for name in sorted((EMPTY.keys() | LIVE_ONLY.keys()) - used):
        yield f"{name} is excused and nobody uses it"
    for name in sorted(UNUSED.keys() & shown):
        yield f"{name} is listed in UNUSED and used"


def boards():
    paths = sorted((HERE / "dashboards").glob("*.json"))
    return [(path.name, path.read_text()) for path in paths]


def check_files():
    read = lambda name: (HERE / "prometheus" / name).read_text()
    rules, alerts = read("rules.yml"), read("alerts.yml")
    alert_names = re.findall(r"- alert: (\S+)", alerts)
    anchors = {name.lower() for name in sections(RUNBOOK.read_text())}
    loaded = [json.loads(text) for _, text in boards()]
    # Ni les noms des groupes, ni celui d'une règle, ni les commentaires n'emploient une mesure.
    used = [re.sub(r"(#|- name:|- record:).*", "", text) for text in [alerts, rules]]
    used += [expression for board in loaded for _, expression, _ in expressions(board)]
    faults = [fault for name, text in boards() for fault in form_faults(name, text)]
    faults += [fault for board in loaded for fault in board_faults(board, anchors)]
    faults += runbook_faults(alert_names, RUNBOOK.read_text())
    faults += alert_faults(alerts)
    faults += case_faults(alert_names, read("alerts_test.yml"))
    recorded = re.findall(r"- record: (\S+)", rules)
    faults += record_faults(recorded, read("rules_test.yml") + read("drawdown_test.yml"), used)
    faults += name_faults(set().union(*map(names, used)), set(recorded), GOLDEN.read_text())
    faults += [f"{uid}: not among the dashboards" for uid in UIDS - {board["uid"] for board in loaded}]
    if len(loaded) < 2 or len(alert_names) < 10:
        faults.append(f"only {len(loaded)} dashboards and {len(alert_names)} alerts were seen")
    return faults, f"{len(loaded)} dashboards, {len(alert_names)} alerts read"


# --- Ce qui doit tenir devant un vrai Prometheus ---


def fetch(address):
    with urllib.request.urlopen(address, timeout=10) as answer:
        return answer.read().decode()


class Prometheus:
    def __init__(self, address):
        self.address = address.rstrip("/")

    def ask(self, path, **parameters):
        try:
            text = fetch(f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
        except urllib.error.HTTPError as refusal:
            raise ValueError(json.load(refusal).get("error", refusal)) from refusal
        return json.loads(text)["data"]

    def finds(self, expression, instant):
        """Vrai si l'expression a au moins un nombre."""
        if instant:
            series = self.ask("query", query=expression)["result"]
            values = [one["value"][1] for one in series]
        else:
            now = time.time()
            series = self.ask("query_range", query=expression, start=now - 600, end=now, step=5)["result"]
            values = [value for one in series for _, value in one["values"]]
        return any(not math.isnan(float(value)) for value in values)

    def rules(self):
        return [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]


def questions(loaded, rules, followers):
    """(où, expression, à un instant, pour un compte réel), tout ce qui est à demander."""
    for board in loaded:
        for where, expression, instant in expressions(board):
            for instance, (_, live) in followers.items():
                asked = expand(expression, instance)
                if not exempt(asked, live):
                    yield f"{where} ({instance})", asked, instant, live
                for selector in selectors(asked):
                    if not exempt(selector, live):
                        yield f"{where} ({instance})", selector, False, live
    for rule in rules:
        # La condition d'une alerte est vide tant que tout va ; ce qu'elle regarde doit être là.
        whole = [rule["query"]] if rule["type"] == "recording" else []
        for expression in whole + selectors(rule["query"]):
            if not exempt(expression, True):
                yield f"rule {rule['name']}", expression, False, True


def answer_faults(prometheus, asked):
    """Demande jusqu'à ce que tout ait répondu ; ce qui reste vide au bout est une faute."""
    left, deadline, errors = list(dict.fromkeys(asked)), time.monotonic() + PATIENCE_S, []
    while True:
        empty = []
        for question in left:
            where, expression, instant, _ = question
            try:
                if not prometheus.finds(expression, instant):
                    empty.append(question)
            except ValueError as error:
                errors.append(f"{where}: {expression}: {error}")
        if not empty or time.monotonic() > deadline:
            return errors + [f"{where}: {expression}: empty" for where, expression, _, _ in empty]
        left = empty
        time.sleep(1)


def error_faults(prometheus, expressions):
    """Toutes, mêmes celles qui ont le droit d'être vides : aucune n'est une erreur."""
    for where, expression in expressions:
        try:
            prometheus.finds(expression, True)
        except ValueError as error:
            yield f"{where}: {expression}: {error}"


def check_live(address, followers):
    prometheus = Prometheus(address)
    loaded, rules = [json.loads(text) for _, text in boards()], prometheus.rules()
    pages = {instance: fetch(page) for instance, (page, _) in followers.items()}
    shown = [
        (where, expand(expression, instance))
        for board in loaded
        for where, expression, _ in expressions(board)
        for instance in followers
    ]
    everything = shown + [(f"rule {rule['name']}", rule["query"]) for rule in rules]
    used = set().union(*(names(expression) for _, expression in everything))
    golden = families(GOLDEN.read_text())
    faults = [
        f"{instance}: {name} is not on the golden page"
        for instance, page in pages.items()
        for name in families(page).keys() - golden.keys()
    ]
    asked = list(questions(loaded, rules, followers))
    faults += answer_faults(prometheus, asked)
    faults += error_faults(prometheus, [one for one in everything if one[1] not in {question[1] for question in asked}])
    for rule in prometheus.rules():
        if rule["health"] != "ok":
            faults.append(f"rule {rule['name']}: {rule['health']}: {rule.get('lastError', '')}")
    for instance, page in pages.items():
        if len(page.encode()) > LARGEST_PAGE:
            faults.append(f"{instance}: a page of {len(page.encode())} bytes, more than {LARGEST_PAGE}")
    return faults, f"{len(set(asked))} questions answered, {len(used)} metrics and rules in use"


def follower(text):
    """`instance=ADRESSE` ou `instance=ADRESSE,live`."""
    instance, _, rest = text.partition("=")
    address, _, mode = rest.partition(",")
    return instance, (address, mode == "live")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("files")
    live = commands.add_parser("live")
    live.add_argument("--prometheus", required=True)
    live.add_argument("--follower", type=follower, action="append", required=True, metavar="INSTANCE=PAGE[,live]")
    options = parser.parse_args()
    if options.command == "files":
        faults, told = check_files()
    else:
        faults, told = check_live(options.prometheus, dict(options.follower))
    for fault in faults:
        print(f"metrics: {fault}", file=sys.stderr)
    if faults:
        sys.exit(f"metrics: {len(faults)} faults")
    print(f"metrics: {told}")


if __name__ == "__main__":
    main()
