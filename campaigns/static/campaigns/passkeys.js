// Shows the buttons for passkeys in browsers that have them, and says so if one can't be used.
const buttons = document.querySelectorAll("button[id^=passkey]");

if (window.PublicKeyCredential) {
  for (const button of buttons) button.hidden = false;
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("passkey-error")?.removeAttribute("hidden");
});
