// A <form data-passkey> asks the browser for a passkey before it is sent: "create" makes one, "get" uses one.
// The options are in the JSON that data-passkey-options names, or come from where the form goes.
// Its buttons are off until this script has come: sent without a passkey, the form would only be refused.
const switchOn = (root) => root.querySelectorAll("[data-passkey] [disabled]").forEach((button) => (button.disabled = false));
switchOn(document);
document.addEventListener("htmx:load", ({ target }) => switchOn(target));

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-passkey]");
  if (!form) return;
  event.preventDefault();
  const trouble = form.querySelector("[data-passkey-trouble]");
  trouble.hidden = true;
  try {
    form.elements.credential.value = JSON.stringify(await credentialFor(form));
    form.submit();
  } catch (error) {
    trouble.textContent = reason(error);
    trouble.hidden = false;
  }
});

async function credentialFor(form) {
  const options = form.dataset.passkeyOptions ? optionsOnPage(form) : await optionsFrom(form.action);
  if (form.dataset.passkey === "get") return webauthnJSON.get(options.request_options);
  return webauthnJSON.create(creationOptions(options.creation_options, form.elements.passwordless.checked));
}

function optionsOnPage(form) {
  return JSON.parse(document.getElementById(form.dataset.passkeyOptions).textContent);
}

async function optionsFrom(address) {
  const reply = await fetch(address, { headers: { Accept: "application/json" } });
  if (!reply.ok) throw new Error(`The server answered ${reply.status}`);
  return reply.json();
}

function creationOptions(options, passwordless) {
  Object.assign(options.publicKey.authenticatorSelection, {
    residentKey: passwordless ? "required" : "discouraged",
    requireResidentKey: passwordless,
    userVerification: passwordless ? "required" : "preferred",
  });
  return options;
}

function reason(error) {
  if (/^[\d.]+$|^\[/.test(location.hostname)) {
    const named = location.href.replace(location.hostname, "localhost");
    return `Passkeys need a name in the address, not a number. On your own machine, open ${named} instead.`;
  }
  if (error.name === "InvalidStateError") return "This passkey is on your account already.";
  if (error.name === "NotAllowedError") {
    return "The browser gave no passkey: it was cancelled, or took too long. Nothing was changed; try again.";
  }
  return "That did not work, and nothing was changed. Reload the page and try again, or use another way.";
}
