// Everything listens on the document, so what htmx swaps in works without being set up again.
import "./replies.js";
import "./toasts.js";
import "./dialogs.js";
import "./copying.js";
import "./dropzone.js";
import "./evidence.js";
import "./autosave.js";
import "./counters.js";
import "./times.js";
import "./examples.js";
import "./streams.js";
import "./passkeys.js";
import "./keys.js";
