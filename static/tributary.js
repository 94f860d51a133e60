/* What pages do beyond forms and links. Without it everything still works.
   theme switch · copy · confirm by typing · relative times · menus · undo · folds · tabs · live parts */
(() => {
  "use strict";

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* --- theme: as the system → light → dark; the cookie is read by the server, so nothing flashes */

  const themes = ["system", "light", "dark"];
  const themeNames = { system: "as the system", light: "light", dark: "dark" };

  function currentTheme() {
    return document.documentElement.dataset.bsTheme || "system";
  }

  function setTheme(theme) {
    if (theme === "system") delete document.documentElement.dataset.bsTheme;
    else document.documentElement.dataset.bsTheme = theme;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  }

  function nameTheme(button) {
    const label = `Theme: ${themeNames[currentTheme()]}. Change`;
    button.setAttribute("aria-label", label);
    button.title = label;
  }

  function prepareThemeSwitch(button) {
    button.hidden = false;
    nameTheme(button);
    button.addEventListener("click", () => {
      setTheme(themes[(themes.indexOf(currentTheme()) + 1) % themes.length]);
      nameTheme(button);
    });
  }

  /* the account page decides for all browsers, so this browser's own choice gives way to it */
  function followAccount(select) {
    select.form.addEventListener("submit", () => setTheme(select.value));
  }

  /* --- copy */

  async function copy(button) {
    const source = button.dataset.copy
      ? document.getElementById(button.dataset.copy)
      : button.closest(".copy")?.querySelector("code");
    const text = "copyLink" in button.dataset
      ? new URL(button.dataset.copyLink, location.href).href
      : source ? source.value || source.textContent : "";
    const before = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      if (source) getSelection().selectAllChildren(source);
      button.textContent = "Press Ctrl+C";
    }
    setTimeout(() => (button.textContent = before), 2000);
  }

  /* --- confirm by typing: the button wakes when the name is typed */

  function prepareConfirm(input) {
    const button = input.form.querySelector("[data-confirm-button]");
    const check = () => (button.disabled = input.value.trim() !== input.dataset.confirm);
    input.addEventListener("input", check);
    check();
  }

  /* --- times: the words of the filter `when`, kept fresh for a day */

  const minute = 60, hour = 3600, day = 86400;

  function relative(seconds) {
    const ahead = seconds < 0, age = Math.abs(seconds);
    if (age < 45) return ahead ? "now" : "just now";
    const words = age < hour ? `${Math.max(1, Math.round(age / minute))} min` : `${Math.round(age / hour)} h`;
    return ahead ? `in ${words}` : `${words} ago`;
  }

  function countdown(seconds) {
    if (seconds <= 0) return "now";
    if (seconds < 90) return `in ${Math.ceil(seconds)} s`;
    if (seconds < hour) return `in ${Math.round(seconds / minute)} min`;
    return `in ${Math.floor(seconds / hour)} h ${Math.round((seconds % hour) / minute)} min`;
  }

  function refreshTimes() {
    for (const element of all("time[data-relative]")) {
      const age = (Date.now() - Date.parse(element.dateTime)) / 1000;
      if (Math.abs(age) < 22 * hour) element.textContent = relative(age);
    }
    for (const element of all("time[data-countdown]"))
      element.textContent = countdown((Date.parse(element.dateTime) - Date.now()) / 1000);
  }

  /* --- menus close on Escape and on a click elsewhere */

  function closeMenus(except) {
    for (const menu of all("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
  }

  function onEscape(event) {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  }

  /* --- undo goes after ten seconds, or when it has been used by keyboard and left */

  function prepareUndo(element) {
    let left = 10;
    const timer = setInterval(() => {
      if (element.matches(":hover, :focus-within")) return;
      left -= 1;
      if (left <= 0) {
        clearInterval(timer);
        element.remove();
      }
    }, 1000);
  }

  /* --- filter a long list of checkboxes by what is typed; choose all that are shown */

  function prepareListFilter(input) {
    const list = document.getElementById(input.dataset.filterList);
    const status = document.getElementById(input.dataset.filterStatus);
    input.hidden = false;
    input.addEventListener("input", () => {
      const wanted = input.value.trim().toLowerCase();
      let shown = 0;
      for (const item of all("[data-filter-text]", list)) {
        item.hidden = !item.dataset.filterText.toLowerCase().includes(wanted);
        shown += item.hidden ? 0 : 1;
      }
      if (status) status.textContent = wanted ? `${shown} found` : "";
    });
  }

  function tickShown(button) {
    const boxes = all("input[type=checkbox]:enabled", document.getElementById(button.dataset.tickShown))
      .filter((box) => !box.closest("[hidden]"));
    const wanted = button.matches("input") ? button.checked : !boxes.every((box) => box.checked);
    for (const box of boxes) if (box !== button) box.checked = wanted;
    boxes[0]?.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /* --- tabs that do not fit: the current one comes into view, and the page stays where it is */

  function showCurrentTab(tabs) {
    const current = tabs.querySelector("[aria-current]");
    if (current) tabs.scrollLeft = current.offsetLeft - (tabs.clientWidth - current.offsetWidth) / 2;
  }

  /* --- a fold that belongs to one choice of several opens with it: data-open-by="name=value" */

  function prepareOpenBy(fold) {
    const [name, value] = fold.dataset.openBy.split("=");
    for (const choice of document.getElementsByName(name))
      choice.addEventListener("change", () => (fold.open = choice.value === value));
  }

  /* --- passkeys: say in the page when the browser refuses */

  function sayRefused(event) {
    event.preventDefault();
    const place = document.querySelector("main");
    const notice = document.querySelector("[data-refused]") || document.createElement("div");
    notice.dataset.refused = "";
    notice.className = "notice notice-attention";
    notice.setAttribute("role", "alert");
    const byName = /^[\d.:[\]]+$/.test(location.hostname)
      ? "Browsers allow keys only where the address has a name, such as localhost."
      : "Nothing has changed. You can try again.";
    notice.textContent = `Your browser did not use a key. ${byName}`;
    place.prepend(notice);
  }

  /* --- what a form would do, as a call of the API; no secret leaves the page for it */

  async function showApiCall(button) {
    const form = button.form;
    const sent = new FormData(form, button);
    for (const field of all("input[type=password]", form)) if (field.value) sent.set(field.name, "typed");
    const dialog = document.createElement("dialog");
    dialog.className = "api-call";
    dialog.setAttribute("aria-label", "As API call");
    const answer = await fetch(form.getAttribute("action") || location.href, { method: "POST", body: sent, headers: { "X-Part": "api-call" } });
    dialog.innerHTML = answer.ok ? await answer.text() : "<p>This cannot be shown now. Load the page again.</p>";
    const close = document.createElement("button");
    close.type = "button";
    close.className = "btn btn-secondary btn-sm";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.append(close);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    document.body.append(dialog);
    prepare(dialog);
    dialog.showModal();
  }

  /* --- parts that appear, at load or by htmx */

  function prepare(root) {
    all("[data-theme-switch]", root).forEach(prepareThemeSwitch);
    all("select[name=theme]", root).forEach(followAccount);
    all("[data-copy], [data-copy-link]", root).forEach((button) => (button.hidden = false));
    all("[data-confirm]", root).forEach(prepareConfirm);
    all("[data-undo]", root).forEach(prepareUndo);
    all("[data-filter-list]", root).forEach(prepareListFilter);
    all("[data-tick-shown]", root).forEach((control) => (control.hidden = false));
    all(".tabs", root).forEach(showCurrentTab);
    all("[data-open-by]", root).forEach(prepareOpenBy);
    all("select[data-submit]", root).forEach((select) =>
      select.addEventListener("change", () => select.form.requestSubmit())
    );
    refreshTimes();
  }

  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    const button = event.target.closest("[data-copy], [data-copy-link]");
    if (button) copy(button);
    const shown = event.target.closest("[data-api-call]");
    if (shown) {
      event.preventDefault();
      showApiCall(shown);
    }
    const ticks = event.target.closest("[data-tick-shown]");
    if (ticks) tickShown(ticks);
  });
  document.addEventListener("keydown", onEscape);
  document.addEventListener("allauth.error", sayRefused);
  document.addEventListener("htmx:load", (event) => {
    if (event.target !== document.body) prepare(event.target);
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    /* a live part asks nothing while nobody looks */
    if (document.hidden && event.target.matches("[data-live]")) event.preventDefault();
  });
  document.addEventListener("htmx:afterSwap", () => {
    const live = document.querySelector("[data-title]");
    if (live && live.dataset.title) document.title = live.dataset.title;
  });

  document.documentElement.classList.add("js");
  prepare(document);
  setInterval(refreshTimes, 1000);
})();
