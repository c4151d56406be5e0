"use strict";

/* Shows the views that the menus name, and cuts the left one at the position of the slider. */
for (const figure of document.querySelectorAll(".comparison")) {
  const stage = figure.querySelector(".stage");
  const slider = stage.querySelector("input");
  const views = [...stage.querySelectorAll("img")];
  const menu = (side) => figure.querySelector(`.menus .${side} select`);

  const describe = (side, view) => {
    const name = document.createElement("b");
    name.textContent = view.dataset.name;
    figure.querySelector(`.values .${side}`).replaceChildren(name, ` ${view.dataset.values}`);
  };

  const show = () => {
    const left = views[menu("left").selectedIndex];
    const right = views[menu("right").selectedIndex];
    for (const view of views) {
      // A view that is on both sides is seen whole.
      view.className = view === right ? "right" : view === left ? "left" : "";
    }
    describe("left", left);
    describe("right", right);
  };

  const move = () => stage.style.setProperty("--position", `${slider.value}%`);

  slider.addEventListener("input", move);
  menu("left").addEventListener("change", show);
  menu("right").addEventListener("change", show);
  // A browser may have kept what was chosen before the page was loaded again.
  move();
  show();
}
