/* How the curves of trainings are drawn: over steps or seconds, smoothed, on a logarithmic scale. The choice is one for all
   charts of a page, stands in the address, and asks nothing of the server. */
"use strict";

(function () {
  const MOST = 0.99;

  function choice() {
    const query = new URLSearchParams(location.search), weight = Number(query.get("smooth"));
    return {
      over: query.get("over") === "time" ? "time" : "step",
      smooth: weight > 0 && weight <= MOST ? weight : 0,
      scale: query.get("scale") === "log" ? "log" : "linear",
    };
  }

  let isAsked = false;

  /* `value` is null where it is what goes without saying. */
  function choose(name, value) {
    const query = new URLSearchParams(location.search);
    value === null ? query.delete(name) : query.set(name, value);
    history.replaceState(history.state, "", location.pathname + (query.size ? "?" + query : "") + location.hash);
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      document.dispatchEvent(new Event("curves-chosen"));
    });
  }

  /* The exponential moving average, without the bias towards 0 that its beginning gives it, as TensorBoard has it. */
  function smoothed(values, weight) {
    let sum = 0, seen = 0;
    return values.map((value) => {
      if (value === null) return null;
      sum = weight * sum + (1 - weight) * value;
      seen += 1;
      return sum / (1 - weight ** seen);
    });
  }

  function lines(trace, chosen) {
    const { seconds, smooth } = trace.meta;
    const line = { ...trace, x: chosen.over === "time" && seconds.length ? seconds : trace.x };
    if (!smooth || !chosen.smooth) return [line];
    const measured = { ...line, line: { ...line.line, dash: "solid", width: 1 }, opacity: 0.3, showlegend: false, hoverinfo: "skip" };
    return [measured, { ...line, y: smoothed(line.y, chosen.smooth) }];
  }

  /* A figure as it came, if it shows no training. */
  function asChosen(figure) {
    if (!figure.data.some((trace) => trace.meta)) return figure;
    const chosen = choice(), { xaxis, yaxis } = figure.layout;
    const isTimed = chosen.over === "time" && figure.data.some((trace) => trace.meta.seconds.length);
    const title = isTimed ? { ...xaxis.title, text: "seconds of training" } : xaxis.title;
    return {
      data: figure.data.flatMap((trace) => lines(trace, chosen)),
      layout: {
        ...figure.layout,
        xaxis: { ...xaxis, title, uirevision: isTimed ? "time" : "step" },
        yaxis: { ...yaxis, type: chosen.scale, uirevision: chosen.scale },
      },
    };
  }

  const made = (kind, properties, ...children) => {
    const node = Object.assign(document.createElement(kind), properties);
    node.append(...children);
    return node;
  };

  function overWhat(chosen) {
    const buttons = [["step", "Steps"], ["time", "Seconds"]].map(([over, said]) => {
      const button = made("button", { type: "button", ariaPressed: String(chosen.over === over) }, said);
      button.onclick = () => {
        buttons.forEach((one) => { one.ariaPressed = String(one === button); });
        choose("over", over === "step" ? null : over);
      };
      return button;
    });
    return made("span", { role: "group", ariaLabel: "Over what", className: "either" }, ...buttons);
  }

  function smoothing(chosen) {
    const told = made("output", {}, chosen.smooth.toFixed(2));
    const slider = made("input", { type: "range", min: 0, max: MOST, step: 0.01, value: chosen.smooth });
    slider.oninput = () => {
      told.textContent = Number(slider.value).toFixed(2);
      choose("smooth", Number(slider.value) ? slider.value : null);
    };
    return made("label", {}, "Smoothing", slider, told);
  }

  function scale(chosen) {
    const box = made("input", { type: "checkbox", checked: chosen.scale === "log" });
    box.onchange = () => choose("scale", box.checked ? "log" : null);
    return made("label", {}, box, "Log scale");
  }

  function fill(place) {
    const chosen = choice();
    place.replaceChildren(...(place.dataset.timed === "yes" ? [overWhat(chosen)] : []), smoothing(chosen), scale(chosen));
  }

  new MutationObserver(() => document.querySelectorAll(".curve-choice:empty").forEach(fill))
    .observe(document.documentElement, { subtree: true, childList: true });

  window.benisonCurves = { asChosen };
})();
