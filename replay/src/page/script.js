"use strict";
(() => {
  const tools = document.querySelector(".tools");
  if (!tools) return;
  const alerts = [...document.querySelectorAll("details.alert")];
  const find = document.getElementById("find");
  const boxes = [...tools.querySelectorAll("input[type=checkbox]")];
  const shown = document.getElementById("shown");
  const button = document.getElementById("open");
  const filter = () => {
    const wanted = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const alert of alerts) {
      const text = words.length ? alert.textContent.toLowerCase() : "";
      alert.hidden = !wanted.has(alert.dataset.severity) || !words.every((word) => text.includes(word));
      if (!alert.hidden) count += 1;
    }
    shown.textContent = count === alerts.length ? "" : count + " of " + alerts.length + " shown";
  };
  find.addEventListener("input", filter);
  for (const box of boxes) box.addEventListener("change", filter);
  button.addEventListener("click", () => {
    const open = button.textContent === "Open all";
    for (const alert of alerts) alert.open = open;
    button.textContent = open ? "Close all" : "Open all";
  });
  // On paper everything is open.
  addEventListener("beforeprint", () => { for (const alert of alerts) alert.open = true; });
  tools.hidden = false;
})();
