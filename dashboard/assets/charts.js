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
  const left = new WeakMap(); /* place -> what it showed, and how it was zoomed, when it was taken away */
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
    const told = place.dataset.figure, figure = JSON.parse(told), before = left.get(place);
    const layout = before && before.told === told ? before.layout : { ...figure.layout, uirevision: "kept" };
    await Plotly.react(place, figure.data, layout, config(place));
  }

  function takeAway(place) {
    near.delete(place);
    if (!place.querySelector(".main-svg")) return;
    left.set(place, { told: place.dataset.figure, layout: place.layout });
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

  /* Paper shows all of a page. */
  window.addEventListener("beforeprint", () => places(document).forEach((place) => { near.add(place); draw(place); }));
})();
