/* What people do with parts of previews, in the one-file report and in the dashboard alike: they move the divider between two
   pictures, take masks off, and follow the notes of a sound while it plays. */
"use strict";

(function () {
  /* A slider as large as the pictures: a mouse drags it, arrows and Home and End move it. */
  function divide(place) {
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: 0, max: 100, value: 50, ariaLabel: place.dataset.label });
    slider.addEventListener("input", () => place.parentElement.style.setProperty("--at", slider.value + "%"));
    place.append(slider);
  }

  function fill() {
    document.querySelectorAll(".divider:empty").forEach(divide);
  }

  function switchLayer(button) {
    const isOn = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isOn));
    button.closest(".layers").querySelectorAll(".layer")[button.dataset.layer].hidden = !isOn;
  }

  function follow(player) {
    const roll = player.closest(".part")?.querySelector(".roll");
    if (!roll) return;
    const at = Math.min(player.currentTime / Number(roll.dataset.seconds), 1);
    roll.style.setProperty("--at", 100 * at + "%");
    if (!player.paused) requestAnimationFrame(() => follow(player));
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".layers [data-layer]");
    if (button) switchLayer(button);
  });
  for (const what of ["play", "seeked"]) document.addEventListener(what, (event) => follow(event.target), true);
  document.addEventListener("DOMContentLoaded", fill);
  new MutationObserver(fill).observe(document.documentElement, { subtree: true, childList: true });
})();
