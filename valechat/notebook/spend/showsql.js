/** "Show SQL" below a chart: the query, a way to copy it, and where the host allows it, to insert it as a cell.
 *  It also measures the place that the chart above it has. */

/** The notebook's cells, or null where the host gives a widget no notebook (JupyterLab and Notebook 7 do). */
function cells(model) {
  try {
    const shared = model.widget_manager?.context?.model?.sharedModel;
    return typeof shared?.insertCell === "function" && Array.isArray(shared.cells) ? shared : null;
  } catch {
    return null; // a host may guard its widget manager with getters that throw
  }
}

function below(shared, el) {
  const listed = Number.parseInt(el.closest(".jp-Cell")?.getAttribute("data-windowed-list-index") ?? "", 10);
  return Number.isInteger(listed) ? listed + 1 : shared.cells.length;
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "jupyter-button";
  made.style.cssText = "width: auto; margin: 4px 6px 4px 0; padding: 0 10px";
  made.textContent = text;
  made.addEventListener("click", async () => {
    made.textContent = (await act()) ?? text;
    setTimeout(() => (made.textContent = text), 2000);
  });
  return made;
}

function select(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}

/** Tell the kernel how wide the place is, once it has settled. */
function measure(model, el) {
  let settled = 0;
  const observer = new ResizeObserver(() => {
    clearTimeout(settled);
    settled = setTimeout(() => {
      const room = Math.floor(el.clientWidth / 20) * 20;
      if (room > 0 && room !== model.get("room")) {
        model.set("room", room);
        model.save_changes();
      }
    }, 150);
  });
  observer.observe(el);
  return observer;
}

export default {
  render({ model, el }) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "Show SQL";
    summary.setAttribute("aria-label", `Show SQL: ${model.get("about")}`);
    summary.style.cssText = "cursor: pointer; color: var(--jp-ui-font-color2, inherit)";
    const code = document.createElement("pre");
    code.style.cssText =
      "margin: 4px 0; padding: 8px; overflow: auto; max-height: 260px; font-size: var(--jp-code-font-size, 13px);" +
      "color: var(--jp-content-font-color1, inherit); background: var(--jp-layout-color2, transparent)";
    code.tabIndex = 0;
    const draw = () => (code.textContent = model.get("sql"));
    model.on("change:sql", draw);
    draw();

    const copy = button("Copy", async () => {
      try {
        await navigator.clipboard.writeText(model.get("sql"));
        return "Copied";
      } catch {
        select(code); // no clipboard without https: Ctrl+C takes the selection
        return "Selected: press Ctrl+C";
      }
    });
    details.append(summary, code, copy);
    const shared = cells(model);
    if (shared) {
      const insert = button("Insert as a cell", () => {
        shared.insertCell(below(shared, el), { cell_type: "code", source: model.get("cell"), metadata: {} });
        return "Inserted below";
      });
      details.append(insert);
    }
    el.append(details);
    const measured = measure(model, el);
    return () => {
      measured.disconnect();
      model.off("change:sql", draw);
    };
  },
};
