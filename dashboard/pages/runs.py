"""All runs of all tasks in one table, with every metric and hyper-parameter.

What is sorted, filtered, shown and chosen stands in the address.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dash_ag_grid
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update

from components.report import page as report_page
from components.report.page import limits
from dashboard import address, parts
from dashboard.address import Query
from dashboard.store import Run, Store
from pipelines.records.workspace import named

GRID = "runs"
BEAT_MS = 3000
HEAD_PX, ROW_PX, FEWEST_ROWS = 102, 42, 6
"""Of the table: its height grows with its rows up to the window's."""
TEXT, NUMBER = "agTextColumnFilter", "agNumberColumnFilter"

COLUMNS: tuple[dict[str, Any], ...] = (
    {"field": "task", "headerName": "Task", "filter": TEXT, "cellRenderer": "RunLink", "pinned": "left", "width": 205},
    {
        "field": "outcome",
        "headerName": "Outcome",
        "filter": TEXT,
        "filterParams": {"defaultOption": "startsWith"},  # "blessed" is not to find "not blessed"
        "cellRenderer": "Outcome",
        "width": 150,
    },
    {"field": "name", "headerName": "Name", "filter": TEXT, "width": 150, "hide": True},
    {"field": "tags", "headerName": "Tags", "filter": TEXT, "width": 150, "hide": True},
    {"field": "metric", "headerName": "Key metric", "filter": TEXT, "width": 130},
    {"field": "score", "headerName": "Score", "filter": NUMBER, "width": 105},
    {"field": "interval", "headerName": "Interval", "filter": TEXT, "width": 160},
    {"field": "reference", "headerName": "Reference", "filter": NUMBER, "width": 120},
    {"field": "baseline", "headerName": "Baseline", "filter": NUMBER, "width": 115},
    {"field": "seconds", "headerName": "Seconds", "filter": NUMBER, "width": 115},
    {"field": "started", "headerName": "Started", "filter": TEXT, "width": 205},
    {"field": "data", "headerName": "Data", "filter": TEXT, "width": 150},
    {"field": "version", "headerName": "Data version", "filter": TEXT, "width": 160},
    {"field": "pushed", "headerName": "Pushed as", "filter": TEXT, "width": 110},
    {"field": "run", "headerName": "Run", "filter": TEXT, "width": 215},
    {"field": "note", "headerName": "Note", "filter": TEXT, "width": 220, "hide": True},
    {"field": "rival", "headerName": "Best reference", "filter": TEXT, "width": 190, "hide": True},
    {"field": "code", "headerName": "Code digest", "filter": TEXT, "width": 160, "hide": True},
)
NUMBERS = ("score", "reference", "baseline", "seconds")
METRIC, HPARAM = "metric", "hyper-parameter"
"""Of which each name that any run has is a column, too, hidden until it is asked for."""

Column = Mapping[str, Any]


def all_columns(runs: Sequence[Run]) -> list[Column]:
    """Those of every run, of which names and tags are shown where there are any, and one for each metric and
    hyper-parameter of any of these."""
    values: dict[tuple[str, str], list[Any]] = {}
    for kind, found in ((METRIC, [run.metrics for run in runs]), (HPARAM, [run.hparams for run in runs])):
        for name, value in (pair for one in found for pair in one.items()):
            values.setdefault((kind, name), []).append(value)
    told = {name for name in ("name", "tags") if any(run.notes.get(name) for run in runs)}
    own = [column | {"hide": False} if column["field"] in told else column for column in COLUMNS]
    return [*own, *(_more(kind, name, values[kind, name]) for kind, name in sorted(values))]


def _more(kind: str, name: str, values: Sequence[Any]) -> Column:
    is_number = all(map(_is_number, values))
    return {
        "field": _field(kind, name),
        "headerName": name,
        "headerTooltip": f"{kind} {name}",
        "filter": NUMBER if is_number else TEXT,
        "width": 140,
        "hide": True,
        "cellDataType": False,
        "more": kind,
        "number": is_number,
    }


def _field(kind: str, name: str) -> str:
    """As addresses have it, whose lists of columns are parted by commas."""
    return f"{kind} {name}".replace(",", ";")


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """One flat row for each run, as the table has it."""
    return [_row(run) for run in runs]


def _row(run: Run) -> dict[str, Any]:
    rival = run.best_reference
    return {
        "key": run.key,
        "href": address.run(run.key),
        "task": run.task,
        "outcome": f"running {len(run.nodes)}/{run.nodes_total}" if run.is_running and run.nodes else run.outcome,
        "sign": parts.SIGNS.get(run.outcome, ""),
        "tone": parts.TONES.get(run.outcome, "soft"),
        "metric": run.key_metric,
        "score": run.score,
        "interval": limits(run.intervals.get(run.key_metric)),
        "reference": rival[1] if rival else None,
        "rival": rival[0] if rival else "",
        "baseline": run.baseline.get(run.key_metric),
        "seconds": round(run.seconds, 1),
        "started": run.started.strftime("%Y-%m-%d %H:%M:%S %Z") if run.started else "",
        "data": run.data.get("name", ""),
        "version": run.data.get("fingerprint", ""),
        "pushed": run.pushed or "",
        "run": run.id,
        "code": run.code_digest,
        "name": run.notes.get("name", ""),
        "tags": ", ".join(run.notes.get("tags", [])),
        "note": run.notes.get("note", ""),
        **{_field(METRIC, name): value for name, value in run.metrics.items()},
        **{
            _field(HPARAM, name): value if _is_number(value) else report_page.plain(value)
            for name, value in run.hparams.items()
        },
    }


def layout(store: Store, found: Query) -> Any:
    every, missing = store.runs(), parts.left_out(store.left_out(), "Not in this table is what lies behind")
    runs, archived = _of_table(every, found)
    if not every:
        return html.Div(
            [
                html.H1("Runs"),
                parts.empty(
                    f"No run has left anything in {store.root} yet.",
                    command=f"benison run image_classification{named(store.root)}",
                ),
                *missing,
            ]
        )
    running = sum(run.is_running for run in runs)
    columns = all_columns(every)
    return html.Div(
        [
            html.H1("Runs"),
            html.P(_told(len(runs), running), className="soft", id="runs-told", role="status"),
            *missing,
            *archived,
            html.Div(
                [
                    html.Label("Find", htmlFor="runs-find"),
                    dcc.Input(id="runs-find", type="search", value=address.first(found, "q"), placeholder="any column"),
                    parts.folded("Columns", _columns_chooser(columns, found)),
                    _more_chooser(columns, found),
                    html.Span(
                        html.A("Compare", href="/compare", id="runs-compare", className="button"),
                        id="runs-compare-place",
                        hidden=True,
                    ),
                    html.Span("Choose two or more runs of one task.", id="runs-compare-told", className="soft"),
                ],
                className="bar-of-tools",
            ),
            _grid(runs, columns, found),
            dcc.Interval(id="runs-beat", interval=BEAT_MS),
            dcc.Store(id="runs-seen", data=_fingerprint(runs)),
            dcc.Store(id="runs-remembered"),
        ]
    )


def _of_table(runs: Sequence[Run], found: Query) -> tuple[list[Run], list[Any]]:
    """The runs that the table has, and a word about those that are archived."""
    archived = sum(bool(run.notes.get("archived")) for run in runs)
    if not archived:
        return list(runs), []
    if found.get("archived"):
        return list(runs), [html.P([f"{archived} archived among them. ", parts.link("Leave them out", "/")])]
    shown = [run for run in runs if not run.notes.get("archived")]
    return shown, [html.P([f"{archived} archived. ", parts.link("Show them, too", "/?archived=1")])]


def _told(count: int, running: int) -> str:
    going = f", {running} going on" if running else ""
    return f"{count:,} run{'s' if count != 1 else ''}{going}"


def _columns_chooser(columns: Sequence[Column], found: Query) -> Any:
    options = [{"label": column["headerName"], "value": column["field"]} for column in COLUMNS[1:]]
    own = {option["value"] for option in options}
    defined = column_definitions(columns, found)
    shown = [column["field"] for column in defined if column["field"] in own and not column["hide"]]
    checks = dcc.Checklist(options=options, value=shown, id="runs-columns", className="checks")
    return html.Div(checks, role="group", **parts.aria(label="Columns shown"))


def _more_chooser(columns: Sequence[Column], found: Query) -> Any:
    """Of thousands of names those that are typed: a box for each would be more than a page can hold."""
    more = [column for column in columns if "more" in column]
    chosen = set(address.first(found, "columns").split(","))
    chooser = dcc.Dropdown(
        options=[{"label": f"{one['headerName']} ({one['more']})", "value": one["field"]} for one in more],
        value=[one["field"] for one in more if one["field"] in chosen],
        multi=True,
        placeholder="metrics and hyper-parameters",
        id="runs-more",
        className="slice-choice",
    )
    return html.Div(chooser, style={} if more else {"display": "none"})


def _grid(runs: Sequence[Run], columns: Sequence[Column], found: Query) -> dash_ag_grid.AgGrid:
    return dash_ag_grid.AgGrid(
        id=GRID,
        rowData=rows(runs),
        columnDefs=column_definitions(columns, found),
        defaultColDef={"sortable": True, "resizable": True, "floatingFilter": True, "suppressHeaderMenuButton": True},
        filterModel=_filters(columns, found),
        selectedRows={"ids": list(found.get("select", ()))},
        getRowId="params.data.key",
        dashGridOptions={
            "rowSelection": {"mode": "multiRow", "checkboxes": True, "headerCheckbox": False},
            "selectionColumnDef": {"pinned": "left", "width": 44},
            "quickFilterText": address.first(found, "q"),
            "multiSortKey": "ctrl",
            "animateRows": False,
            "suppressFieldDotNotation": True,  # a metric may be called mAP@0.5
            "ensureDomOrder": True,
            "suppressColumnMoveAnimation": True,
            "localeText": {"noRowsToShow": "No run is left", "noMatchingRows": "No run passes these filters"},
        },
        className="runs-grid",
        style={"height": f"min(70vh, {HEAD_PX + ROW_PX * max(len(runs), FEWEST_ROWS)}px)"},
    )


def column_definitions(columns: Sequence[Column], found: Query) -> list[dict[str, Any]]:
    """These columns in the order, with the sorting and hiding that an address asks for; `columns` lists those shown."""
    shown = [name for name in address.first(found, "columns").split(",") if name]
    order = {name: place for place, name in enumerate(shown)}
    sorting = [part.rpartition(".") for part in address.first(found, "sort").split(",") if part]
    sorts = {name: (way, place) for place, (name, _, way) in enumerate(sorting) if way in ("asc", "desc")}
    sorts = sorts or {"started": ("desc", 0)}
    columns = sorted(columns, key=lambda column: order.get(column["field"], len(order))) if shown else columns
    return [_column(column, shown, sorts) for column in columns]


def _column(column: Column, shown: Sequence[str], sorts: dict[str, tuple[str, int]]) -> dict[str, Any]:
    name = column["field"]
    hidden = name not in shown and name != "task" if shown else column.get("hide", False)
    way, place = sorts.get(name, (None, None))
    as_number = {"valueFormatter": {"function": "shown(params.value)"}, "type": "rightAligned"}
    is_number = column.get("number", name in NUMBERS)
    known = {key: value for key, value in column.items() if key not in ("more", "number")}
    return {**known, "hide": hidden, "sort": way, "sortIndex": place} | (as_number if is_number else {})


def _filters(columns: Sequence[Column], found: Query) -> dict[str, Any]:
    """AG Grid's filter model; one that is no JSON object counts as none."""
    try:
        model = json.loads(address.first(found, "filter") or "{}")
    except ValueError:
        return {}
    known = {column["field"] for column in columns}
    return {name: wanted for name, wanted in model.items() if name in known} if isinstance(model, dict) else {}


def _fingerprint(runs: Sequence[Run]) -> str:
    """Changes when a row does."""
    return str(hash(tuple((run.key, run.outcome, len(run.nodes), round(run.seconds), str(run.notes)) for run in runs)))


def register(app: Dash, store: Store) -> None:
    @app.callback(
        Output(GRID, "rowData"),
        Output("runs-seen", "data"),
        Output("runs-told", "children"),
        Input("runs-beat", "n_intervals"),
        State("runs-seen", "data"),
        State("address", "search"),
        prevent_initial_call=True,
    )
    def refresh(_: int, seen: str, search: str | None) -> tuple[Any, Any, Any]:
        """New rows only where there are any: the table keeps its place and what is chosen."""
        runs, _archived = _of_table(store.runs(), address.query(search))
        now = _fingerprint(runs)
        if now == seen:
            return no_update, no_update, no_update
        return rows(runs), now, _told(len(runs), sum(run.is_running for run in runs))

    app.clientside_callback(
        ClientsideFunction("benison", "watchRuns"),
        Output("runs-remembered", "data"),
        Input(GRID, "id"),
        Input("runs-find", "value"),
        Input("runs-columns", "value"),
        Input("runs-more", "value"),
    )
