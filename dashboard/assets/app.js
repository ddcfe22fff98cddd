/* What is the same on all pages: dark or light, the page that is marked as open, choices in the address, recording. */
"use strict";

window.dash_clientside = window.dash_clientside || {};

(function () {
  const root = document.documentElement, kept = window.localStorage.getItem("benison-theme");
  if (kept) root.dataset.theme = kept;

  const darkNow = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

  function markOpenPage() {
    for (const [id, begins] of [["to-runs", /^\/(run\/|answers\/|compare|$)/], ["to-models", /^\/models/]]) {
      const link = document.getElementById(id);
      if (begins.test(location.pathname)) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  /* Sound from the microphone as 16-bit mono WAV: the form that every sound reader knows. */
  function wav(samples, rate) {
    const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
    const text = (at, said) => [...said].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
    text(0, "RIFF"); view.setUint32(4, 36 + 2 * samples.length, true); text(8, "WAVEfmt ");
    view.setUint32(16, 16, true); view.setUint16(20, 1, true); view.setUint16(22, 1, true);
    view.setUint32(24, rate, true); view.setUint32(28, 2 * rate, true); view.setUint16(32, 2, true); view.setUint16(34, 16, true);
    text(36, "data"); view.setUint32(40, 2 * samples.length, true);
    samples.forEach((sample, i) => view.setInt16(44 + 2 * i, 32767 * Math.max(-1, Math.min(1, sample)), true));
    return new Blob([view], { type: "audio/wav" });
  }

  const asDataUri = (blob) => new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.readAsDataURL(blob);
  });

  let recorder = null;

  async function record(button, name) {
    if (recorder) return recorder.stop();
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      button.textContent = "No microphone: " + error.name;
      return null;
    }
    const pieces = [];
    recorder = new MediaRecorder(stream);
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = async () => {
      recorder = null;
      stream.getTracks().forEach((track) => track.stop());
      button.textContent = "● Record";
      const context = new AudioContext();
      const sound = await context.decodeAudioData(await new Blob(pieces).arrayBuffer());
      const contents = await asDataUri(wav(sound.getChannelData(0), sound.sampleRate));
      context.close();
      dash_clientside.set_props({ type: "try-file", name: name }, { contents: contents, filename: "recording.wav" });
    };
    recorder.start();
    button.textContent = "■ Stop";
    return null;
  }

  function watchRecorders() {
    document.querySelectorAll("button.record").forEach((button) => {
      button.onclick = () => record(button, JSON.parse(button.id).name);
    });
  }

  const ASKED_EVERY_MS = 3000;

  /* Whether the server is still there is seen by people, too, and not by Dash alone. */
  async function watchServer() {
    const told = document.getElementById("gone");
    if (told && !document.hidden) {
      try {
        const answer = await fetch("/healthz", { cache: "no-store" });
        await answer.text(); /* a browser holds a request open until its answer has been read */
        told.hidden = answer.ok;
      } catch {
        told.hidden = false;
      }
    }
    setTimeout(watchServer, ASKED_EVERY_MS);
  }
  setTimeout(watchServer, ASKED_EVERY_MS);

  /* A file that is not taken puts out the one before it, and is said not to be taken. */
  function judge(place, file) {
    const kinds = place.querySelector("input[type=file]").accept.split(",").filter(Boolean);
    const most = Number(place.closest("[data-most]").dataset.most);
    const isKnown = !kinds.length || kinds.some((kind) => file.name.toLowerCase().endsWith(kind.trim()));
    const said = !isKnown ? "give " + kinds.join(", ")
      : file.size > most ? "it is larger than " + most / 1e6 + " MB" : "";
    dash_clientside.set_props("try-status", { children: said && "✗ " + file.name + " is not taken: " + said + ". No file is chosen now." });
    if (said) dash_clientside.set_props(JSON.parse(place.id), { contents: null, filename: null });
  }

  /* Heard before Dash hears it, which says nothing of a file that it does not take. */
  function hear(event) {
    const place = event.target.closest('[id*="try-file"]'), files = (event.dataTransfer || event.target).files;
    if (place && files.length) judge(place, files[0]);
  }
  /* What Dash's own components say to those who hear a page: files have no name, what is chosen from calls itself a list
     in a list, and what cannot be heard takes the focus. */
  function mend() {
    document.querySelectorAll("[data-most] input[type=file]:not([aria-label])").forEach((field) =>
      field.setAttribute("aria-label", field.closest("[data-most]").querySelector(".label").textContent));
    document.querySelectorAll(".dash-options-list[role=listbox]:not(.dash-dropdown-options)").forEach((list) =>
      list.setAttribute("role", "presentation"));
    document.querySelectorAll(".dash-options-list[role=presentation] > [role=option]").forEach((label) =>
      label.removeAttribute("role"));
    document.querySelectorAll(".dash-options-list[role=presentation] > [aria-selected]").forEach((label) =>
      label.removeAttribute("aria-selected"));
    document.querySelectorAll(".dash-dropdown-focus-target:enabled").forEach((place) => {
      place.disabled = true;
      place.nextElementSibling.tabIndex = 0;
    });
  }
  new MutationObserver(mend).observe(document.documentElement,
    { subtree: true, childList: true, attributeFilter: ["aria-selected"] });

  /* Enter asks, from a text of several lines with Ctrl; Esc closes what has opened over the page. */
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      const field = event.target.closest("#try .form input:not([type=file]), #try .form textarea");
      const ask = field && document.getElementById("try-ask");
      if (ask && (field.tagName === "INPUT" || event.ctrlKey || event.metaKey)) ask.click();
    } else if (event.key === "Escape") {
      document.querySelectorAll(".bar-of-tools details[open]").forEach((opened) => {
        opened.open = false;
        if (opened.contains(document.activeElement)) opened.querySelector("summary").focus();
      });
    }
  });
  document.addEventListener("change", hear, true);
  document.addEventListener("drop", hear, true);

  window.dash_clientside.benison = Object.assign(window.dash_clientside.benison || {}, {
    switchTheme: function (clicks) {
      if (!clicks) return null;
      root.dataset.theme = darkNow() ? "light" : "dark";
      window.localStorage.setItem("benison-theme", root.dataset.theme);
      return root.dataset.theme;
    },
    pageShown: function () {
      markOpenPage();
      setTimeout(watchRecorders, 0);
      const heading = document.querySelector("main h1");
      document.title = (heading ? heading.textContent + " · " : "") + "Benison";
      return null;
    },
    /* What was chosen is seen at once; an answer does not outlive its question. */
    questionChanged: function (contents, values, names) {
      if (document.getElementById("try-answer")) dash_clientside.set_props("try-answer", { children: [] });
      const isPicture = (content) => content && content.startsWith("data:image/");
      return [
        contents.map((content, i) => (content && names[i] ? ": " + names[i] : "")),
        contents.map((content, i) => isPicture(content)
          ? { namespace: "dash_html_components", type: "Img", props: { src: content, alt: names[i], className: "seen" } } : null),
      ];
    },
    rememberChoice: function (show, where) {
      const query = new URLSearchParams(location.search);
      show && show !== "all" ? query.set("show", show) : query.delete("show");
      where ? query.set("slice", where) : query.delete("slice");
      history.replaceState(history.state, "", location.pathname + (query.size ? "?" + query : "") + location.hash);
      return null;
    },
  });
})();
