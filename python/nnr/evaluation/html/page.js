"use strict";

/* Shows the views that the menus name, and cuts the left one at the position of the slider. */
for (const figure of document.querySelectorAll(".comparison")) {
  const stage = figure.querySelector(".stage");
  const slider = stage.querySelector("input");
  const views = [...stage.querySelectorAll("img")].sort(
    (one, other) => one.dataset.index - other.dataset.index,
  );
  const menu = (name) => figure.querySelector(`.menus .${name} select`);
  const layer = (name) => stage.querySelector(`.layer.${name}`);

  const describe = (side, view) => {
    const name = document.createElement("b");
    name.textContent = view.dataset.name;
    figure.querySelector(`.values .${side}`).replaceChildren(name, ` ${view.dataset.values}`);
  };

  const show = () => {
    const left = views[menu("left").selectedIndex];
    const right = views[menu("right").selectedIndex];
    // A view that is on both sides is seen whole.
    layer("left").replaceChildren(...(left === right ? [] : [left]));
    layer("right").replaceChildren(right);
    layer("rest").replaceChildren(...views.filter((view) => view !== left && view !== right));
    describe("left", left);
    describe("right", right);
  };

  const move = () => stage.style.setProperty("--position", `${slider.value}%`);

  const zoom = () => stage.style.setProperty("--zoom", menu("zoom").value);

  /* What is under the pointer stays there while everything around it grows. */
  const follow = (event) => {
    const area = stage.getBoundingClientRect();
    const share = (at, length) => `${(100 * at) / length}%`;
    stage.style.setProperty("--x", share(event.clientX - area.left, area.width));
    stage.style.setProperty("--y", share(event.clientY - area.top, area.height));
  };

  slider.addEventListener("input", move);
  slider.addEventListener("pointermove", follow);
  menu("left").addEventListener("change", show);
  menu("right").addEventListener("change", show);
  menu("zoom").addEventListener("change", zoom);
  // A browser may have kept what was chosen before the page was loaded again.
  move();
  show();
  zoom();
}
