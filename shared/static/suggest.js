// Suggestions while typing, by the pattern of an editable combobox with a list (WAI-ARIA). Around the field stands
// <div data-suggest="address" data-told="words for the list">, with hidden fields <name>_for and <name>_code beneath:
// the server sends the list's items. Without this script the form searches when it is sent.
(() => {
  const PAUSE = 150;

  function begin(frame) {
    const input = frame.querySelector("input:not([type=hidden]):not([type=radio])");
    const meant = frame.querySelector("input[name$=_for]");
    const code = frame.querySelector("input[type=hidden][name$=_ags]");
    const chosen = frame.querySelector(".chosen");
    if (!input || !meant || !code) return;
    const list = document.createElement("ul");
    list.id = `${input.id}-list`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", frame.dataset.told);
    list.hidden = true;
    const around = document.createElement("div");
    around.className = "suggest-field";
    input.replaceWith(around);
    around.append(input, list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", list.id], ["aria-expanded", "false"]])
      input.setAttribute(name, value);
    let timer, asked = 0, at = -1;

    const items = () => [...list.children];

    function close() {
      list.hidden = true;
      at = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }

    function mark(next) {
      const all = items();
      at = (next + all.length) % all.length;
      all.forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
      input.setAttribute("aria-activedescendant", all[at].id);
      all[at].scrollIntoView({ block: "nearest" });
    }

    function choose(item) {
      input.value = meant.value = item.dataset.name;
      code.value = item.dataset.code;
      chosen.textContent = item.textContent.trim();
      close();
    }

    async function suggest() {
      const mine = ++asked, text = input.value.trim();
      if (text.length < 2) return close();
      const answer = await fetch(`${frame.dataset.suggest}?q=${encodeURIComponent(text)}`).catch(() => null);
      if (mine !== asked || !answer?.ok) return mine === asked && close();
      const found = await answer.text();
      if (mine !== asked) return;
      list.innerHTML = found;
      if (!list.children.length) return close();
      at = -1;
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    }

    input.addEventListener("input", () => {
      chosen.textContent = "";
      clearTimeout(timer);
      timer = setTimeout(suggest, PAUSE);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !list.hidden) close();
      else if (event.key === "ArrowDown" && !list.hidden) mark(at + 1);
      else if (event.key === "ArrowUp" && !list.hidden) mark(at - 1 < 0 ? items().length - 1 : at - 1);
      else if (event.key === "Enter" && !list.hidden && at >= 0) choose(items()[at]);
      else return;
      event.preventDefault();
    });
    input.addEventListener("blur", () => setTimeout(close, 150));
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const item = event.target.closest("[role=option]");
      if (item) choose(item);
    });
  }

  document.querySelectorAll("[data-suggest]").forEach(begin);
})();
