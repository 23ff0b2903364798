// Walks through the map; texts are only ever cloned.
function makeMapLive(map) {
  const layout = map.closest(".map-layout");
  const inspector = layout.querySelector(".inspector");
  const clusters = [...map.querySelectorAll(".cluster")];
  let current = 0;

  function pick(index, item) {
    clusters[current].classList.remove("picked");
    clusters[current].setAttribute("tabindex", "-1");
    clusters[current].setAttribute("aria-selected", "false");
    current = (index + clusters.length) % clusters.length;
    clusters[current].classList.add("picked");
    clusters[current].setAttribute("tabindex", "0");
    clusters[current].setAttribute("aria-selected", "true");
    const source = document.getElementById("sentence-" + clusters[current].dataset.number);
    inspector.querySelector(".chosen").replaceChildren(...source.cloneNode(true).childNodes);
    inspector.querySelector(".position").textContent = `Sentence ${current + 1} of ${clusters.length}`;
    if (item === undefined) return;
    const pointed = inspector.querySelectorAll(".chosen ul > li")[item];
    pointed.classList.add("pointed");
    inspector.scrollTop = pointed.offsetTop - inspector.clientHeight / 2;
  }

  clusters.forEach((cluster, index) => {
    const original = document.querySelector(`#sentence-${cluster.dataset.number} .original`);
    cluster.setAttribute("role", "option");
    cluster.setAttribute("tabindex", "-1");
    cluster.setAttribute("aria-label", `Sentence ${index + 1}: ${original ? original.textContent : ""}`);
    cluster.addEventListener("pointerover", (event) => pick(index, event.target.dataset.item));
    cluster.addEventListener("focus", () => { map.classList.add("choosing"); pick(index); });
    cluster.addEventListener("blur", () => map.classList.remove("choosing"));
    cluster.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      clusters[(index + step + clusters.length) % clusters.length].focus();
    });
  });
  for (const button of inspector.querySelectorAll("[data-step]")) {
    button.addEventListener("click", () => { map.classList.add("choosing"); pick(current + Number(button.dataset.step)); });
    button.addEventListener("blur", () => map.classList.remove("choosing"));
  }
  map.setAttribute("role", "listbox");
  inspector.hidden = false;
  layout.classList.add("live");
  pick(0);
}

document.querySelectorAll("svg.map").forEach(makeMapLive);
