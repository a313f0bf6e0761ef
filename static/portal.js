// Only what HTML and htmx cannot do: hide a shown PIN again, rest in a hidden tab, lose nothing across a refresh.
"use strict";
(() => {
  const HIDE_AFTER = 30000;
  const masked = new Map(); // id of a PIN's place -> its masked markup

  const announce = (words) => {
    const place = document.getElementById("announce");
    if (place) place.textContent = words;
  };

  // PINs
  const hide = (place) => {
    const markup = masked.get(place.id);
    masked.delete(place.id);
    if (!markup) return location.reload();
    const focused = place.contains(document.activeElement);
    const parent = place.parentElement;
    place.outerHTML = markup;
    const again = parent.querySelector(`#${CSS.escape(place.id)}`);
    htmx.process(again);
    if (focused) again.querySelector("button")?.focus();
  };
  const hideAll = () => document.querySelectorAll("[data-shown]").forEach(hide);

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.matches?.(".pin") && !detail.target.matches("[data-shown]")) {
      masked.set(detail.target.id, detail.target.outerHTML);
    }
  });
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    if (!target.matches?.(".pin[data-shown]")) return;
    announce(target.dataset.shown);
    setTimeout(() => target.isConnected && hide(target), HIDE_AFTER);
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-hide]");
    if (button) hide(button.closest("[data-shown]"));
  });
  addEventListener("pagehide", hideAll);

  // A link to pass on: with this script there is a button for it.
  for (const button of document.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy);
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
      announce(button.dataset.copied);
    });
  }

  // A tab nobody looks at asks nothing, and catches up when it is looked at again.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.id === "poll") event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    const poll = document.getElementById("poll");
    if (!document.hidden && poll) htmx.trigger(poll, "wake");
  });

  // What a person opened or is reading stays; what changed is said to those who cannot see it.
  document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => {
    const { target, fragment } = detail;
    for (const open of target.querySelectorAll("details[open][id]")) {
      fragment.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    }
    for (const shown of target.querySelectorAll("[data-shown]")) {
      const fresh = fragment.querySelector(`#${CSS.escape(shown.id)}`);
      if (fresh) {
        const focused = shown.contains(document.activeElement) && document.activeElement;
        masked.set(shown.id, fresh.outerHTML);
        fresh.replaceWith(shown);
        if (focused) setTimeout(() => focused.focus({ preventScroll: true }));
      }
    }
    const before = target.querySelector("[data-announce]")?.textContent.trim();
    const after = fragment.querySelector("[data-announce]")?.textContent.trim();
    if (after && after !== before) announce(after);
  });
  document.addEventListener("refreshed", ({ detail }) => {
    const mark = document.querySelector("[name=seen-mark]");
    if (mark && detail.mark) mark.value = detail.mark;
    for (const time of document.querySelectorAll("[data-updated] time")) {
      time.dateTime = detail.at;
      time.textContent = detail.words;
    }
  });
})();
