// The scan station beyond its plain form: scans wait in a queue while the line is slow, scanners need no suffix,
// answers are heard. Without this file every scan is a page of its own.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const form = () => one("#scan-form");
  const field = () => one("#scan-code");
  const bar = () => one("#scan-queue");

  // --- the queue: one request at a time, in order, each with a key that the server answers once ---------
  const WINDOW = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`;
  const TOO_OLD = 10 * 60 * 1000, BOUNCE = 700, TRIES = 3;
  let number = 0, queue = [], isSending = false, failures = 0, last = { text: "", at: -BOUNCE };

  const place = () => `scans-${one("#scan-sender").dataset.who}`;
  function keep() {
    try {
      if (queue.length) localStorage.setItem(place(), JSON.stringify(queue));
      else localStorage.removeItem(place());
    } catch { /* a private window keeps nothing, and still sends */ }
  }
  function restore() {
    let kept = [];
    try { kept = JSON.parse(localStorage.getItem(place()) ?? "[]"); } catch { /* not ours */ }
    queue = kept.filter((scan) => Date.now() - scan.at < TOO_OLD);
    if (queue.length < kept.length) tell("late", kept.length - queue.length, true);
    keep();
    pump();
  }

  function tell(name, count, isBad) {
    const words = name ? bar().dataset[name].replace("{n}", count) : "";
    bar().textContent = words;
    bar().hidden = !words;
    bar().classList.toggle("is-bad", Boolean(isBad));
  }

  function add(text) {
    const now = performance.now();
    // A gun that reads one label twice in a moment means it once.
    if (!text.startsWith("FH-") && text === last.text && now - last.at < BOUNCE) return;
    last = { text, at: now };
    number += 1;
    queue.push({ code: text, key: `${WINDOW}-${number}`, at: Date.now() });
    keep();
    pump();
  }

  function pump() {
    if (isSending || !queue.length) return;
    isSending = true;
    setTimeout(() => { if (isSending && !failures) tell("sending", queue.length); }, 300);
    const { code, key } = queue[0];
    htmx.ajax("POST", form().action, {
      source: "#scan-sender", target: "#station", swap: "outerHTML", values: { code, key },
    }).catch(() => {});
  }

  function sent() {
    queue.shift();
    failures = 0;
    keep();
    if (queue.length) tell("sending", queue.length);
    else tell("");
    answer();
  }

  function failed(status) {
    failures += 1;
    if (status === 401) return;
    if (status >= 400 && failures >= TRIES) {
      const { code } = queue.shift();
      failures = 0;
      keep();
      tell("refused", "", true);
      bar().textContent += code;
      play("bad");
      return pump();
    }
    tell("offline", queue.length, true);
    setTimeout(pump, Math.min(10000, 500 * 2 ** Math.min(failures, 5)));
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.id !== "scan-sender") return;
    isSending = false;
    if (!event.detail.successful) return failed(event.detail.xhr?.status ?? 0);
    sent();
    pump();
  });
  document.addEventListener("signed-in", () => { failures = 0; pump(); });
  addEventListener("online", pump);
  addEventListener("beforeunload", (event) => { if (queue.length) event.preventDefault(); });

  // --- the field: enter, tab or nothing after the code ------------------------------------------------
  // A scanner types faster than any hand; a pause after a burst ends a code that has no suffix.
  const FASTEST_HAND = 80, PAUSE = 200, SHORTEST = 6, SHORTEST_BEFORE_TAB = 3;
  let lastKey = -Infinity, burst = 0, timer = 0;

  function submit() {
    clearTimeout(timer);
    burst = 0;
    const text = field().value.trim();
    field().value = "";
    if (text) add(text);
    else pump();
  }

  const isPlain = (event) => event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  const isElsewhere = (target) => target !== field()
    && target.closest("input:not([type=checkbox]):not([type=file]), textarea, select, dialog[open], [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (isElsewhere(event.target)) return;
    if (event.key === "Tab" && event.target === field() && burst >= SHORTEST_BEFORE_TAB
        && event.timeStamp - lastKey <= PAUSE) {
      event.preventDefault();
      return submit();
    }
    if (!isPlain(event)) return;
    if (event.target !== field()) {
      // Blanks press the button that has the focus; everything else is a scan.
      if (event.key === " ") return;
      field().focus();
    }
    event.stopPropagation();
    burst = event.timeStamp - lastKey <= FASTEST_HAND ? burst + 1 : 1;
    lastKey = event.timeStamp;
    clearTimeout(timer);
    if (burst >= SHORTEST) timer = setTimeout(submit, PAUSE);
  }, true);
  document.addEventListener("compositionstart", (event) => {
    if (event.target === field()) tell("ime", "", true);
  });
  // Some phones' scanners hand over a code as a whole.
  document.addEventListener("input", (event) => {
    if (event.target !== field() || event.inputType === "insertFromPaste") return;
    const whole = event.data ?? "";
    if (whole.length >= SHORTEST && !event.isComposing) { clearTimeout(timer); timer = setTimeout(submit, PAUSE); }
  });
  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    event.stopPropagation();
    const command = event.submitter?.value;
    if (command) add(command);
    else submit();
    field().focus();
  }, true);

  // --- answers that are heard -------------------------------------------------------------------------
  // frequency in Hz, seconds
  const SOUNDS = { ok: [[1320, .12]], wait: [[880, .08]], idle: [[660, .08]], bad: [[220, .25], [180, .35]] };
  let audio = null;
  const isOn = (name) => one(`[data-keep=${name}]`)?.checked;

  function play(tone) {
    if (!isOn("scan-sound") || !window.AudioContext) return;
    audio ??= new AudioContext();
    let at = audio.currentTime;
    for (const [frequency, seconds] of SOUNDS[tone] ?? []) {
      const source = audio.createOscillator(), volume = audio.createGain();
      source.frequency.value = frequency;
      source.type = tone === "bad" ? "square" : "sine";
      volume.gain.value = .2;
      source.connect(volume).connect(audio.destination);
      source.start(at);
      source.stop(at += seconds);
    }
  }

  function speak(text) {
    if (!isOn("scan-voice") || !window.speechSynthesis) return;
    speechSynthesis.cancel();
    const words = new SpeechSynthesisUtterance(text);
    words.lang = document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en-US";
    words.rate = 1.3;
    speechSynthesis.speak(words);
  }

  function answer() {
    const { tone, spoken } = one("#station").dataset;
    play(tone);
    speak(spoken);
  }

  // --- the camera, fetched only when it is asked for ----------------------------------------------------
  let camera = null;
  function reader() {
    const address = one("#scan-sender").dataset.zxing;
    return new Promise((resolve, reject) => {
      if (window.ZXingBrowser) return resolve(new ZXingBrowser.BrowserMultiFormatReader());
      const script = document.createElement("script");
      script.src = address;
      script.onload = () => resolve(new ZXingBrowser.BrowserMultiFormatReader());
      script.onerror = reject;
      document.head.append(script);
    });
  }

  async function toggleCamera() {
    const box = one("#scan-camera");
    if (camera) { camera.stop(); camera = null; box.hidden = true; return; }
    box.hidden = false;
    try {
      const wanted = { video: { facingMode: "environment" } };
      let seen = { text: "", at: 0 };
      camera = await (await reader()).decodeFromConstraints(wanted, one("video", box), (result) => {
        if (!result) return;
        const text = result.getText();
        // The camera goes on seeing a label that lies before it.
        if (text === seen.text && Date.now() - seen.at < 3000) { seen.at = Date.now(); return; }
        seen = { text, at: Date.now() };
        add(text);
      });
    } catch { camera = null; box.hidden = true; tell("noCamera", "", true); showPhoto(); }
  }

  async function readPhoto(input) {
    const [file] = input.files;
    if (!file) return;
    try {
      const picture = await createImageBitmap(file), canvas = document.createElement("canvas");
      const scale = Math.min(1, 1600 / Math.max(picture.width, picture.height));
      canvas.width = picture.width * scale;
      canvas.height = picture.height * scale;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      add((await reader()).decodeFromCanvas(canvas).getText());
    } catch { tell("noCode", "", true); play("bad"); }
    input.value = "";
  }

  const showPhoto = () => one("[data-photo]").removeAttribute("hidden");
  document.addEventListener("click", (event) => { if (event.target.closest("[data-camera]")) toggleCamera(); });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-photo]")) readPhoto(event.target);
    const { keep: name } = event.target.dataset;
    if (name) localStorage.setItem(name, event.target.checked ? "on" : "off");
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const box of document.querySelectorAll("[data-keep]")) box.checked = localStorage.getItem(box.dataset.keep) !== "off";
    // Shown from the start, so that nothing jumps when this runs.
    if (!navigator.mediaDevices?.getUserMedia) {
      one("[data-camera]").hidden = true;
      if (matchMedia("(pointer: coarse)").matches) showPhoto();
    }
    field().focus();
    restore();
  });
})();
