// Who asks, where the service wants to know: a token, kept for as long as the page is open, and
// nowhere but here.

import { $, say } from "./dom.js";

let token = null;
let asking = null; // while the question is open

// Resolves once there is another token than the one that was refused.
function askForToken(refused) {
  if (token !== refused) return Promise.resolve();
  asking ??= new Promise((resolve) => {
    say($("login-why"), refused === null ? "" : "Nobody has this token.");
    $("login").showModal();
    $("login-form").onsubmit = (event) => {
      event.preventDefault();
      const typed = $("login-token").value.trim();
      if (typed === "" || /[^\x21-\x7e]/.test(typed)) {
        say($("login-why"), "A token is of letters and digits, without spaces.");
        return;
      }
      token = typed;
      $("login-token").value = "";
      $("login").close();
      asking = null;
      resolve();
    };
  });
  return asking;
}

// fetch() of the service, with the token once it is known.
export async function fetchService(path, options = {}) {
  for (;;) {
    const used = token;
    const headers = { ...options.headers };
    if (used !== null) headers.Authorization = `Bearer ${used}`;
    const answer = await fetch(path, { ...options, headers });
    if (answer.status !== 401) return answer;
    await askForToken(used);
  }
}

export function start() {
  $("login").addEventListener("cancel", (event) => event.preventDefault()); // there is no way around it
}
