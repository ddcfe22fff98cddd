"""The dashboard: which page an address leads to, and the server that answers."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from flask import Response, abort, request, send_file

from components.report.page import SCRIPT, TEMPLATES
from dashboard import address, charts, conversation, paging, parts, texts
from dashboard.compression import compress
from dashboard.pages import answer, answers, compare, models, run, runs
from dashboard.security import HEALTH, Policy, is_loopback, protect
from dashboard.store import Damaged, NotThere, Store
from dashboard.try_it import Trial
from data.errors import BenisonError
from data.media.kinds import BY_SUFFIX

DEFAULT_PORT = 8050
PORTS_TRIED = 20
STYLE = "/style.css"

_PAGE = """<!doctype html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" href="data:,">
{%css%}
<link rel="preload" href="/_dash-layout" as="fetch" crossorigin="anonymous">
<link rel="preload" href="/_dash-dependencies" as="fetch" crossorigin="anonymous">
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


_NOT_NEEDED = re.compile(r'<script src="[^"]*/(deps/polyfill@|dash_table/)[^"]*"></script>')
"""Scripts of Dash for tables that no page has, and for browsers of before 2017; `assets/regenerator-runtime.js` is all
that today's need of the latter."""


class _App(Dash):
    def interpolate_index(self, *args: Any, **parts: Any) -> str:
        return str(super().interpolate_index(*args, **{**parts, "scripts": _NOT_NEEDED.sub("", parts["scripts"])}))


def create(
    workspace: Path,
    policy: Policy,
    trial: Trial | None = None,
    follow: Sequence[Path] = (),
    notes: bool | None = None,
) -> Dash:
    """The app over a workspace, guarded by `policy`; links in it may lead to the folders of `follow`, too. `notes`:
    whether it takes notes of runs; if None, where it asks for no token."""
    store = Store(workspace, follow, policy.token is None if notes is None else notes)
    app = _App(
        "benison",
        title="Benison",
        update_title=None,  # type: ignore[arg-type]
        assets_folder=str(Path(__file__).parent / "assets"),
        external_stylesheets=[STYLE],
        external_scripts=[f"/{SCRIPT}"],
        serve_locally=True,
        suppress_callback_exceptions=True,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
        index_string=_PAGE,
        show_undo_redo=False,
        include_pages_meta=False,
    )
    app.layout = lambda: _frame(store)
    _route(app, store)
    runs.register(app, store)
    run.register(app, store)
    answers.register(app, store)
    trial = trial or Trial()
    answer.register(app, store, trial)
    models.register(app, store, trial)
    conversation.register(app, store, trial)
    paging.register(app, lambda *where: _long_list(store, *where))
    _files(app, store)
    protect(app.server, policy, app.csp_hashes())
    compress(app.server)
    return app


def _frame(store: Store) -> html.Div:
    """What stands around every page, with the page itself.

    The browser says in Referer which one it has opened, so that it need not ask once more. Where it does not say, the
    page is left to the callback on the address.
    """
    opened = urlsplit(request.referrer or "")
    known = {"pathname": opened.path, "search": f"?{opened.query}" if opened.query else ""} if opened.path else {}
    library: dict[str, Any] = {"data-plotly": charts.library()}
    places = [parts.link("Runs", "/", id="to-runs"), parts.link("Models", "/models", id="to-models")]
    switch = html.Button("◐ Dark or light", id="theme", type="button", className="plain")
    return html.Div(
        [
            dcc.Location(id="address", refresh="callback-nav", **known),
            html.A("To the content", href="#page", className="skip"),
            html.Header(
                [html.Span("Benison", className="brand"), html.Nav(places, **parts.aria(label="Pages")), switch],
                className="top",
            ),
            html.P("The dashboard does not answer: what is shown may be old.", id="gone", role="alert", hidden=True),
            html.Main(page(store, **known) if known else None, id="page", tabIndex=-1, **library),
            dcc.Store(id="theme-chosen"),
            dcc.Store(id="media-watched"),
        ]
    )


def _route(app: Dash, store: Store) -> None:
    @app.callback(
        Output("page", "children"),
        Input("address", "pathname"),
        Input("address", "search"),
        prevent_initial_call=True,
    )
    def show(pathname: str | None, search: str | None) -> Any:
        return page(store, pathname or "/", search)

    app.clientside_callback(
        ClientsideFunction("benison", "switchTheme"), Output("theme-chosen", "data"), Input("theme", "n_clicks")
    )
    app.clientside_callback(
        ClientsideFunction("benison", "pageShown"), Output("media-watched", "data"), Input("page", "children")
    )


def page(store: Store, pathname: str, search: str | None) -> Any:
    """What an address shows, in words where it cannot be shown."""
    return parts.guarded("This page", lambda: _page(store, pathname, search))


def _page(store: Store, pathname: str, search: str | None) -> Any:
    found = address.query(search)
    try:
        match [unquote(part) for part in pathname.split("/") if part]:
            case []:
                return runs.layout(store, found)
            case ["run", task, run_id]:
                return run.layout(store, task, run_id, found)
            case ["answers", task, run_id]:
                return answers.layout(store, task, run_id, found)
            case ["answers", task, run_id, example]:
                return answer.layout(store, task, run_id, example)
            case ["compare"]:
                return compare.layout(store, found)
            case ["models"]:
                return models.overview(store)
            case ["models", task]:
                return models.layout(store, task)
    except NotThere as missing:
        said = f"There is no {texts.visible(str(missing))} in {store.root}: it was removed, or the address is wrong."
        return html.Div([html.H1("Not there"), parts.empty(said, " ", parts.link("To the runs", "/"))])
    except Damaged as damage:
        said = f"{damage}. Remove that file, or the run's folder."
        return html.Div([html.H1("Damaged"), parts.empty(said, " ", parts.link("To the runs", "/"))])
    return html.Div([html.H1("Not there"), parts.empty("No page has this address. ", parts.link("To the runs", "/"))])


def _long_list(store: Store, pathname: str, search: str | None, name: str, of: str) -> paging.Long:
    """A list that the page of this address shows in pages. Raises NotThere or Damaged."""
    match [unquote(part) for part in pathname.split("/") if part]:
        case ["run", task, run_id]:
            return run.long_list(store, task, run_id, name, of)
        case ["compare"]:
            return compare.long_list(store, address.query(search), name)
    raise NotThere(name)


def _files(app: Dash, store: Store) -> None:
    """What is served beside Dash's own pages."""

    @app.server.get(STYLE)
    def style() -> Response:
        return send_file(TEMPLATES / "report.css.j2", mimetype="text/css", max_age=0)

    @app.server.get(f"/{SCRIPT}")
    def script() -> Response:
        return send_file(TEMPLATES / SCRIPT, mimetype="text/javascript", max_age=0)

    @app.server.get("/media/<task>/<run_id>/<path:name>")
    def media(task: str, run_id: str, name: str) -> Response:
        try:
            file = store.media(task, run_id, name)
        except NotThere:
            abort(404)
        return send_file(file, mimetype=BY_SUFFIX[file.suffix].mime, conditional=True, max_age=0)

    @app.server.get("/report/<task>/<run_id>")
    def report(task: str, run_id: str) -> Response:
        threshold, name = request.args.get("threshold", type=float), f"{task}-{run_id}.html"
        try:
            if threshold is None or not math.isfinite(threshold):
                return send_file(store.one_file_report(task, run_id), as_attachment=True, download_name=name, max_age=0)
            page = io.BytesIO(store.report_at(task, run_id, threshold).encode())
        except (NotThere, Damaged):
            abort(404)
        return send_file(page, "text/html", as_attachment=True, download_name=name, max_age=0)

    @app.server.get(HEALTH)
    def health() -> tuple[str, int, dict[str, str]]:
        return "ok\n", 200, {"Content-Type": "text/plain"}


def serve(
    workspace: Path,
    policy: Policy,
    port: int | None,
    tell: Callable[[str], None],
    follow: Sequence[Path] = (),
    notes: bool | None = None,
) -> None:
    """Answers until it is interrupted, and tells its address as soon as it can be opened.

    Args:
      workspace: whose runs are shown.
      policy: the host to listen on and the token.
      port: None takes the first free one from DEFAULT_PORT on.
      tell: is given one line.
      follow: folders outside the workspace that links in it may lead to.
      notes: as in `create`.

    Raises:
      BenisonError: no port is free, or the address is not this machine's.
    """
    from dashboard.server import listen

    trial = Trial()
    app = create(workspace, policy, trial, follow, notes)
    ports = range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED) if port is None else range(port, port + 1)
    for number in ports:
        try:
            server = listen(app.server, policy.host, number)
            break
        except OSError as error:
            refusal = error
    else:
        raise BenisonError(
            f"cannot listen on {policy.host} port {port or f'{ports[0]} to {ports[-1]}'}: {refusal.strerror}",
            "give another --port, or another --host",
        )
    tell(f"dashboard of {workspace}: {_url(policy, _port_of(server))}   (Ctrl-C ends it)")
    try:
        server.run()
    finally:
        trial.close()


def _port_of(server: Any) -> int:
    listening: Sequence[Any] = getattr(server, "effective_listen", [(None, getattr(server, "effective_port", 0))])
    return int(listening[0][1])


def _url(policy: Policy, port: int) -> str:
    name = f"[{policy.host}]" if ":" in policy.host else policy.host
    shown = f"http://{name}:{port}/{'' if is_loopback(policy.host) else '?token=…'}"
    return shown if policy.public_origin is None else f"{policy.public_origin}/?token=… by way of {shown}"
