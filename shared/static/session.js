"use strict";
// Says when the session is about to end, and prolongs it when asked. Other tabs prolong it too, so it asks first.
(() => {
  const box = document.getElementById("session-end");
  const { address, csrf, warn, endsIn } = box.dataset;
  let end, told;
  const left = () => (end - Date.now()) / 1000;
  const lasts = (seconds) => { end = Date.now() + seconds * 1000; };
  const say = (what) => {
    if (what === told) return;
    told = what;
    box.replaceChildren(...(what ? [document.getElementById(what).content.cloneNode(true)] : []));
    box.querySelector("button")?.addEventListener("click", () => ask("POST"));
  };
  const ask = async (method) => {
    try {
      const answer = await fetch(address, { method, headers: { "X-CSRF-Token": csrf }, credentials: "same-origin" });
      const before = left();
      lasts(answer.ok ? (await answer.json()).ends_in : 0);
      if (left() <= 0) say("session-ended");
      else if (left() > Number(warn)) say(null);
      else say(method === "POST" && left() <= before + 1 ? "session-final" : told ?? "session-warning");
    } catch {
      if (left() <= 0) say("session-ended"); // the way there is broken: go by our own clock
    }
  };
  lasts(Number(endsIn));
  const look = () => { if (left() <= Number(warn) && told !== "session-ended") ask("GET"); };
  setInterval(look, Math.min(15000, Number(warn) * 250));
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
})();
