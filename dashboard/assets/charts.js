/* Charts: each is drawn by Plotly while it is near what is seen and taken away again, so that a page of many charts is no
   heavier than one of few. What a chart shows stands in its place as JSON; where that changes, the chart alone changes. */
"use strict";

(function () {
  const NEAR = "150px 0px";
  const config = (place) => ({
    displaylogo: false, responsive: true,
    displayModeBar: place.dataset.tools === "none" ? false : "hover",
    modeBarButtons: [["zoom2d", "pan2d", "resetScale2d", "toImage"]],
  });
  const near = new Set();
  const left = new WeakMap(); /* place -> its layout when it was taken away */
  let library = null;

  function plotly() {
    library = library || new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = document.getElementById("page").dataset.plotly;
      script.onload = () => done(window.Plotly);
      script.onerror = failed;
      document.head.append(script);
    });
    return library;
  }

  async function draw(place) {
    const Plotly = await plotly();
    if (!near.has(place) || !place.isConnected) return;
    const figure = window.benisonCurves.asChosen(JSON.parse(place.dataset.figure));
    const layout = zoomed({ ...figure.layout, uirevision: "kept" }, place.layout || left.get(place) || {});
    await Plotly.react(place, figure.data, layout, config(place));
    if (place.dataset.links && !place.dataset.leads) {
      place.dataset.leads = "yes"; /* a bar leads to what it counts */
      place.on("plotly_click", ({ points: [{ curveNumber, pointNumber }] }) => {
        location.assign(JSON.parse(place.dataset.links)[curveNumber][pointNumber]);
      });
    }
  }

  /* A layout with the ranges that a person chose where it leaves them open, of axes that still show the same. */
  function zoomed(layout, drawn) {
    const axes = Object.keys(drawn).filter((name) => /^[xy]axis/.test(name) && drawn[name].autorange === false
      && !layout[name]?.range && drawn[name].uirevision === layout[name]?.uirevision);
    const chosen = axes.map((name) => [name, { ...layout[name], range: drawn[name].range, autorange: false }]);
    return { ...layout, ...Object.fromEntries(chosen) };
  }

  function takeAway(place) {
    near.delete(place);
    if (!place.querySelector(".main-svg")) return;
    left.set(place, place.layout);
    delete place.dataset.leads;
    window.Plotly.purge(place);
    place.replaceChildren();
  }

  const seen = new IntersectionObserver((changes) => changes.forEach((change) => {
    if (!change.isIntersecting) return takeAway(change.target);
    near.add(change.target);
    draw(change.target);
  }), { rootMargin: NEAR });

  const places = (node) => node.matches?.(".graph") ? [node] : [...(node.querySelectorAll?.(".graph") || [])];

  new MutationObserver((changes) => changes.forEach((change) => {
    if (change.type === "attributes") {
      if (near.has(change.target)) draw(change.target);
    } else if (!change.target.closest(".graph")) {
      change.addedNodes.forEach((node) => places(node).forEach((place) => seen.observe(place)));
    }
  })).observe(document.documentElement, { subtree: true, childList: true, attributeFilter: ["data-figure"] });

  document.addEventListener("curves-chosen", () => near.forEach(draw));

  /* Paper shows all of a page. */
  window.addEventListener("beforeprint", () => places(document).forEach((place) => { near.add(place); draw(place); }));
})();
