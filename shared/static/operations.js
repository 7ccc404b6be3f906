// Keeps the page of operations fresh: each event holds its middle, made by the server.
const look = document.getElementById("look");
const live = document.getElementById("live");
const stream = new EventSource(look.dataset.stream);

stream.addEventListener("open", () => {
  live.textContent = live.dataset.live;
});
stream.addEventListener("error", () => {
  live.textContent = live.dataset.lost;
});
stream.addEventListener("message", (event) => {
  const reading = document.getSelection()?.type === "Range" || look.contains(document.activeElement);
  if (!reading) look.innerHTML = event.data;
});
