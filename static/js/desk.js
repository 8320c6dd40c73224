// What the desk does beyond plain pages: keys, a login over the page, a word at the button when the line is slow.
// Every page works without this file.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = (name) => one("#desk-words")?.dataset[name] ?? "";

  // --- keys: j k x enter / ? ----------------------------------------------------------------------------
  const isTyping = (target) =>
    target.closest("input:not([type=checkbox]), textarea:not([readonly]), select, dialog[open], [contenteditable]");
  const rows = () => all("[data-rows] tbody tr");

  function pick(step) {
    const list = rows();
    if (!list.length) return;
    const now = list.findIndex((row) => row.classList.contains("picked"));
    const next = Math.min(list.length - 1, Math.max(0, now + step));
    list[now]?.classList.remove("picked");
    list[next].classList.add("picked");
    list[next].scrollIntoView({ block: "nearest" });
  }

  const KEYS = {
    j: () => pick(1),
    k: () => pick(-1),
    x: () => one("[data-rows] tr.picked input[type=checkbox][name=order]")?.click(),
    Enter: () => one("[data-rows] tr.picked [data-act]")?.click(),
    "/": () => { const field = one("[role=search] input"); field?.focus(); field?.select(); },
    c: () => one("[data-copy]")?.click(),
    "?": () => one("#keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const next = one("[data-ship-next]");
      if (next) { event.preventDefault(); next.click(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  // --- a request that fails or takes long says so at its button ---------------------------------------
  const waiting = new WeakMap();

  function say(form, text, isBad) {
    const bar = one("[data-say]", form);
    if (!bar) return;
    bar.textContent = text;
    bar.className = text ? (isBad ? "field-error" : "field-warning") : "";
  }

  // The form that a request is about: its own, one of its buttons', or what it saves while one types.
  const formOf = (detail) => (detail.requestConfig?.verb === "get" ? null : detail.elt.closest("form"));

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt } = event.detail, form = formOf(event.detail);
    if (!form) return;
    say(form, "");
    waiting.set(elt, setTimeout(() => { elt.dataset.slow = ""; say(form, words("slow")); }, 5000));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    clearTimeout(waiting.get(event.detail.elt));
    delete event.detail.elt.dataset.slow;
  });
  // Without this script a page of its own asks before anything is sent.
  const drop = (root) => { for (const field of all("[data-no-script]", root)) field.disabled = true; };
  document.addEventListener("submit", (event) => drop(event.target), true);
  document.addEventListener("htmx:load", (event) => drop(event.detail.elt));
  document.addEventListener("DOMContentLoaded", () => drop(document));

  // A second click waits for the first, so that a double click asks once; one that hangs is given up for it.
  const giveUp = (elt) => { if (elt && "slow" in elt.dataset) htmx.trigger(elt, "htmx:abort"); };
  document.addEventListener("submit", (event) => giveUp(event.target), true);
  document.addEventListener("click", (event) => giveUp(event.target.closest("[hx-post]")), true);
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      const form = formOf(event.detail);
      if (event.detail.xhr?.status === 401) return askLogin(event);
      if (form) say(form, words("failed"), true);
    });
  }

  // A login in another window gives this one a new token: what was typed here must still be taken.
  const token = () => document.cookie.match(/(?:^|; )(?:__Host-csrf|csrftoken)=([^;]+)/)?.[1];
  const NAME = "csrfmiddlewaretoken";

  document.addEventListener("htmx:configRequest", (event) => {
    const { verb, headers, formData } = event.detail, fresh = token();
    if (verb === "get" || !fresh) return;
    headers["X-CSRFToken"] = fresh;
    if (formData.has(NAME)) formData.set(NAME, fresh);
  });
  document.addEventListener("submit", (event) => {
    const field = one(`input[name=${NAME}]`, event.target), fresh = token();
    if (field && fresh) field.value = fresh;
  }, true);

  // --- an expired session: the login opens over the page and the same request goes on -------------------
  let parked = null;

  function askLogin(event) {
    const { elt, requestConfig } = event.detail;
    if (requestConfig.verb === "get") { one("#signed-out")?.removeAttribute("hidden"); return; }
    // What saves itself goes on with the next key; it must not take the place of what was sent.
    if (elt.matches("form, button")) parked = { form: elt, button: requestConfig.triggeringEvent?.submitter ?? null };
    openLogin();
  }

  function openLogin() {
    const dialog = one("#login-dialog");
    if (dialog.open || "opening" in dialog.dataset) return;
    dialog.dataset.opening = "";
    htmx.ajax("GET", dialog.dataset.url, { target: "#login-slot", swap: "innerHTML" }).then(() => {
      dialog.showModal();
      one("input:not([type=hidden])", dialog)?.focus();
    }).finally(() => delete dialog.dataset.opening);
  }

  document.addEventListener("signed-in", (event) => {
    one("#login-dialog").close();
    one("#signed-out")?.setAttribute("hidden", "");
    const { form, button } = parked ?? {};
    parked = null;
    if (form instanceof HTMLFormElement) form.requestSubmit(button);
    else if (form) form.click();
  });

  // --- copying, counting down, the theme --------------------------------------------------------------
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (event.target.closest("[data-login]")) { event.preventDefault(); openLogin(); }
    if (event.target.closest("[data-print]")) window.print();
    if (!button) return;
    const field = one(button.dataset.copy);
    field.select();
    try { await navigator.clipboard.writeText(field.value); } catch { document.execCommand("copy"); }
    button.textContent = words("copied");
  });

  // Seconds as the server counted them: the clock of this machine may be wrong.
  const ends = new WeakMap();
  setInterval(() => {
    for (const clock of all("[data-left]")) {
      if (!ends.has(clock)) ends.set(clock, performance.now() + clock.dataset.left * 1000);
      const left = String(Math.max(0, Math.round((ends.get(clock) - performance.now()) / 1000)));
      if (clock.textContent !== left) clock.textContent = left;
    }
  }, 500);

  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-check-all]");
    if (box) for (const each of all("[data-rows] input[type=checkbox][name=order]")) each.checked = box.checked;
  });

  // A column pasted into a field goes down the fields; Enter, a scanner's too, goes on to the next one.
  const column = (field) => { const list = all("[data-column]"); return list.slice(list.indexOf(field)); };
  document.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
    if (!event.target.matches("[data-column]") || lines.length < 2) return;
    const fields = column(event.target);
    if (lines.length > fields.length || lines.some((line) => line.includes("\t"))) return;
    event.preventDefault();
    lines.forEach((line, at) => { fields[at].value = line; });
    fields[lines.length - 1].focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || !event.target.matches?.("[data-column]")) return;
    event.preventDefault();
    // The last one keeps it: the Enter of one more scan must not press the button.
    const next = column(event.target)[1] ?? event.target;
    next.focus();
    next.select();
  });

  if (document.documentElement.dataset.bsTheme === "auto") {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => { document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light"; };
    dark.addEventListener("change", follow);
    follow();
  }
  // The tab one is on is in sight, also after each count.
  function settle(root) {
    const tab = one(".tabs [aria-current]", root);
    if (tab) tab.parentElement.scrollLeft = tab.offsetLeft - (tab.parentElement.clientWidth - tab.offsetWidth) / 2;
  }

  // A scanner replaces what the field held that has the focus when the page opens.
  const entered = new WeakSet();
  function enter(field) {
    if (!field.matches("input[autofocus]") || entered.has(field)) return;
    entered.add(field);
    field.select();
  }
  document.addEventListener("focusin", (event) => enter(event.target));

  document.addEventListener("htmx:load", (event) => settle(event.detail.elt));
  document.addEventListener("DOMContentLoaded", () => { settle(document); enter(document.activeElement); });
  document.addEventListener("DOMContentLoaded", () => one("[data-autosubmit]")?.requestSubmit());
})();
