/* What comes of a threshold, while its slider is moved: reckoned here from counts that the page holds, as
   components/report/thresholds.py does. */
"use strict";

(function () {
  const STEPS = 100;
  const share = (part, whole) => (whole ? part / whole : null);

  function at(found, place) {
    const right = found.right[place], wrong = found.wrong[place], missed = found.there - right;
    return {
      right, wrong, missed, held_back: found.right[0] + found.wrong[0] - right - wrong,
      precision: share(right, right + wrong), recall: share(right, found.there),
      f1: share(2 * right, 2 * right + wrong + missed),
    };
  }

  function best(found) {
    let place = 0;
    for (let one = 1; one <= STEPS; one++) if ((at(found, one).f1 || 0) > (at(found, place).f1 || 0)) place = one;
    return place;
  }

  /* As trainer.preview.wording.number writes it. */
  const said = (value) =>
    value === null ? "–" : Number.isInteger(value) ? value.toLocaleString("en-US") : String(Number(value.toPrecision(4)));

  function drawn(figure, found, place) {
    const every = Array.from({ length: STEPS + 1 }, (_, one) => at(found, one));
    ["precision", "recall", "f1"].forEach((name, i) => { figure.data[i].y = every.map((one) => one[name]); });
    Object.assign(figure.layout.shapes[0], { x0: place / STEPS, x1: place / STEPS });
    return JSON.stringify(figure);
  }

  function remember(name, isFirst, threshold) {
    const query = new URLSearchParams(location.search);
    query.set("threshold", threshold);
    isFirst ? query.delete("class") : query.set("class", name);
    history.replaceState(history.state, "", location.pathname + "?" + query + location.hash);
  }

  const show = (id, properties) => dash_clientside.set_props("thresholds-" + id, properties);

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.benison = Object.assign(window.dash_clientside.benison || {}, {
    thresholdChosen: function (name, slid, typed, clicks, kept, figure) {
      const same = dash_clientside.no_update, nothing = [same, same, same];
      const found = kept.find((one) => one.name === name), by = dash_clientside.callback_context.triggered_id;
      const given = by === "thresholds-typed" ? typed : slid;
      if (!found || given === null || given === undefined || given === "") return nothing;
      const asked = by === "thresholds-best" ? best(found) : Math.round(Number(given) * STEPS);
      const place = Math.min(Math.max(asked, 0), STEPS), threshold = place / STEPS, figures = at(found, place);
      Object.entries(figures).forEach(([which, value]) => show(which, { children: said(value) }));
      const highest = best(found);
      show("best-said", { children: "F1 is highest, " + said(at(found, highest).f1) + ", at the threshold "
        + (highest / STEPS).toFixed(2) + "." });
      show("chart", { "data-figure": drawn(JSON.parse(figure), found, place) });
      if (document.getElementById("thresholds-told")) show("told", { children: String(threshold) });
      const file = document.getElementById("thresholds-file");
      show("file", { href: file.getAttribute("href").split("?")[0] + "?threshold=" + threshold });
      remember(name, found === kept[0], threshold);
      return [threshold, by === "thresholds-slid" ? same : threshold, by === "thresholds-typed" ? same : threshold];
    },
  });
})();
