// What the desk does beyond plain pages: keys, a login over the page, a word at the button when the line is slow.
// Every page works without this file.
(() => {
  "use strict";
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = (name) => one("#desk-words")?.dataset[name] ?? "";

  // --- keys: j k enter / ? ----------------------------------------------------------------------------
  const isTyping = (target) => target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]");
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
    Enter: () => one("[data-rows] tr.picked [data-act]")?.click(),
    "/": () => one("[role=search] input")?.focus(),
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

  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.detail.elt;
    if (!(form instanceof HTMLFormElement)) return;
    say(form, "");
    waiting.set(form, setTimeout(() => say(form, words("slow")), 5000));
  });
  document.addEventListener("htmx:afterRequest", (event) => clearTimeout(waiting.get(event.detail.elt)));
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:responseError"]) {
    document.addEventListener(name, (event) => {
      const form = event.detail.elt;
      if (event.detail.xhr?.status === 401) return askLogin(event);
      if (form instanceof HTMLFormElement) say(form, words("failed"), true);
    });
  }

  // --- an expired session: the login opens over the page and the same request goes on -------------------
  let parked = null;

  function askLogin(event) {
    const { elt, requestConfig } = event.detail;
    if (requestConfig.verb === "get") { one("#signed-out")?.removeAttribute("hidden"); return; }
    parked = { form: elt, button: requestConfig.triggeringEvent?.submitter ?? null };
    openLogin();
  }

  function openLogin() {
    const dialog = one("#login-dialog");
    htmx.ajax("GET", dialog.dataset.url, { target: "#login-slot", swap: "innerHTML" }).then(() => {
      if (!dialog.open) dialog.showModal();
      one("input:not([type=hidden])", dialog)?.focus();
    });
  }

  document.addEventListener("signed-in", (event) => {
    const token = event.detail.token;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    for (const field of all("input[name=csrfmiddlewaretoken]")) field.value = token;
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

  setInterval(() => {
    for (const clock of all("[data-until]")) {
      const left = Math.max(0, Math.round((Date.parse(clock.dataset.until) - Date.now()) / 1000));
      if (clock.textContent !== String(left)) clock.textContent = left;
    }
  }, 500);

  document.addEventListener("change", (event) => {
    const box = event.target.closest("[data-check-all]");
    if (box) for (const each of all("[data-rows] input[type=checkbox][name=order]")) each.checked = box.checked;
  });

  if (document.documentElement.dataset.bsTheme === "auto") {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => { document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light"; };
    dark.addEventListener("change", follow);
    follow();
  }
  // Without this script a page of its own asks before anything is sent.
  const drop = (root) => { for (const field of all("[data-no-script]", root)) field.disabled = true; };
  document.addEventListener("htmx:load", (event) => drop(event.detail.elt));
  document.addEventListener("DOMContentLoaded", () => drop(document));
  document.addEventListener("DOMContentLoaded", () => one("[data-autosubmit]")?.requestSubmit());
})();
