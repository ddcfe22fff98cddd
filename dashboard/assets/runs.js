/* The table of runs: its cells, and its state in the address, so that a link shows the same view. */
"use strict";

window.dashAgGridFunctions = window.dashAgGridFunctions || {};
window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {};
window.dash_clientside = window.dash_clientside || {};

/* Four significant digits; nothing for none. */
window.dashAgGridFunctions.shown = (value) =>
  typeof value !== "number" ? "" : Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(4)));

/* As Dash's own links do it: a new page without loading everything anew. */
function openPage(address) {
  window.history.pushState({}, "", address);
  window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  window.scrollTo(0, 0);
}

function follow(event) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  openPage(event.currentTarget.getAttribute("href"));
}

window.dashAgGridComponentFunctions.RunLink = (props) =>
  React.createElement("a", { href: props.data.href, onClick: follow }, props.value);

window.dashAgGridComponentFunctions.Outcome = (props) =>
  React.createElement("span", { className: "outcome " + props.data.tone }, props.data.sign + " " + props.value);

(function () {
  const atFirst = new WeakMap(); /* grid -> the columns that it showed at first */

  const ownColumns = (api) => api.getColumnState().filter((column) => !column.colId.startsWith("ag-Grid"));
  const shownColumns = (api) => ownColumns(api).filter((column) => !column.hide).map((column) => column.colId).join(",");

  function remember(api) {
    const was = new URLSearchParams(window.location.search), now = new URLSearchParams();
    const sorted = ownColumns(api).filter((column) => column.sort).sort((a, b) => a.sortIndex - b.sortIndex);
    const sort = sorted.map((column) => column.colId + "." + column.sort).join(",");
    const shown = shownColumns(api), filter = api.getFilterModel();
    const find = document.getElementById("runs-find").value;
    if (was.has("archived")) now.set("archived", "1");
    if (find) now.set("q", find);
    if (sort && sort !== "started.desc") now.set("sort", sort);
    if (was.has("columns") || shown !== atFirst.get(api)) now.set("columns", shown);
    if (Object.keys(filter).length) now.set("filter", JSON.stringify(filter));
    api.getSelectedRows().forEach((row) => now.append("select", row.key));
    const query = now.toString();
    window.history.replaceState(window.history.state, "", window.location.pathname + (query ? "?" + query : ""));
    offerComparison(api.getSelectedRows());
  }

  function offerComparison(rows) {
    const link = document.getElementById("runs-compare"), told = document.getElementById("runs-compare-told");
    const tasks = new Set(rows.map((row) => row.task)), ready = rows.length > 1 && tasks.size === 1;
    const query = new URLSearchParams(rows.map((row) => ["run", row.key]));
    document.getElementById("runs-compare-place").hidden = !ready;
    link.setAttribute("href", "/compare?" + query);
    told.textContent = ready ? rows.length + " runs chosen"
      : tasks.size > 1 ? "Runs of different tasks cannot be compared." : "Choose two or more runs of one task.";
  }

  /* On a telephone: task, outcome and score side by side, the others further on. */
  function showScoreFirst(api) {
    const widths = { task: 118, outcome: 112, score: 84 };
    api.applyColumnState({ state: Object.entries(widths).map(([colId, width]) => ({ colId, width })) });
    if (!new URLSearchParams(window.location.search).has("columns")) api.moveColumns(["outcome", "score"], 2);
  }

  window.dash_clientside.benison = Object.assign(window.dash_clientside.benison || {}, {
    watchRuns: async function (id, find, columns, more) {
      const api = await dash_ag_grid.getApiAsync(id);
      if (!atFirst.has(api)) {
        if (window.innerWidth < 576) showScoreFirst(api);
        atFirst.set(api, shownColumns(api));
        ["sortChanged", "filterChanged", "columnVisible", "columnMoved", "selectionChanged"].forEach((name) =>
          api.addEventListener(name, () => remember(api)));
        api.addEventListener("cellKeyDown", (pressed) => {
          if (pressed.event.key === "Enter" && pressed.data) openPage(pressed.data.href);
        });
        offerComparison(api.getSelectedRows());
        return null;
      }
      api.setGridOption("quickFilterText", find || "");
      const wanted = new Set([...columns, ...(more || [])]);
      const all = ownColumns(api).map((column) => column.colId).filter((name) => name !== "task");
      api.setColumnsVisible(all.filter((name) => wanted.has(name)), true);
      api.setColumnsVisible(all.filter((name) => !wanted.has(name)), false);
      remember(api);
      return null;
    },
  });
})();
